#!/usr/bin/env bash
# Every page starts on its container's active list, cache that is read once too: what is in use is lost with what is not.
. "$(dirname "$0")/session.sh"

# Ten times: a stretch of a stream of pages, each read once, and then the same few pages of another file.
ten_rounds() {
    run "for file in 'used 0 $1' 'stream 0 ${2}0'; do echo write \$file >.machine/tasks/101/ctl; done; echo sync >.machine/tasks/101/ctl"
    run "echo 1 >.machine/sys/vm/drop_caches; echo read used 0 $1 >.machine/tasks/101/ctl; grep pgpgin .machine/vmstat"
    run "for round in {0..9}; do
      echo read stream \$((round * $2)) $2 >.machine/tasks/101/ctl; echo read used 0 $1 >.machine/tasks/101/ctl
  done; grep pgpgin .machine/vmstat"
}

run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg; mkdir box .machine/tasks/101; echo 101 >box/tasks'

say "A container of 256 pages, 64 of which are used all the time, while 128 others are read between two uses.  Pages in use are" \
    "active for the machine, others are not.  pgpgin counts the kB that came from the disk: 5120 are the stream, and the rest?"
run 'mkdir .machine/tasks/7; echo touch 0 1000 w >.machine/tasks/7/ctl; echo 256 >box/memory.limit'
ten_rounds 64 128

say "Pages in use had to be read again.  In its container each page starts as active, so to find some that are not, reclaim must" \
    "walk the active list first, and deactivates what it meets there.  A second pass frees.  Active means nothing, then."
run 'cat box/memory.failcnt; grep -E "^pg(de)?activate" .machine/vmstat; grep -E "^(in)?active" box/memory.stat'

say "The machine itself, without a limit, does better: 4000 pages of its 16000 are in use, 8000 are read between two uses, and" \
    "nothing but the 320000 kB of the stream comes from the disk."
run 'rmdir .machine/tasks/7; echo 0 >box/memory.limit'
ten_rounds 4000 8000
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "In the first release (dialect 2008) too every page starts as active: of the pages in use 174 are read again, where it was 192." \
    "Pages of files start as inactive since 2.6.26."
run 'memcgfs mount -o dialect=2008,ram=64M,swap=64M cg; cd cg; mkdir box .machine/tasks/101; echo 101 >box/tasks'
run 'mkdir .machine/tasks/7; echo touch 0 1000 w >.machine/tasks/7/ctl; echo 1M >box/memory.limit_in_bytes'
ten_rounds 64 128
run 'cat box/memory.failcnt; grep -E "^pg(de)?activate" .machine/vmstat; grep -E "^(in)?active" box/memory.stat; cat .machine/check'
