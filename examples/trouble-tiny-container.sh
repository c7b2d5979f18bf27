#!/usr/bin/env bash
# A container of a few pages is out of memory although swap is free: how hard reclaim tries depends on the rest of the machine.
. "$(dirname "$0")/session.sh"

four_pages() {
    run 'mkdir tiny .machine/tasks/101; echo 4 >tiny/memory.limit; echo 101 >tiny/tasks'
    run 'echo touch 0 40 w >.machine/tasks/101/ctl; grep -E "^(State|Touched|VmSwap):" .machine/tasks/101/status'
    run 'cat tiny/memory.failcnt; grep SwapFree .machine/meminfo'
}

mkdir cg
say "A machine on which nothing else runs, and a container of 4 pages.  Its task wants 40."
run 'memcgfs mount -o ram=64M,swap=64M cg; cd cg'
four_pages
run 'tail -n 3 .machine/log'

say "Six rounds of reclaim were not enough, though 64 MB of swap are free.  A round scans shares of what is on the zone's" \
    "lists, not on the container's, and those are so short that it takes rounds to make up a batch of 32: some until the pages" \
    "are found young, some until they are deactivated, some until they are on their way to the disk.  The last round was it."
run 'grep -E "^(pgrefill_dma32|pgdeactivate|pswpout) " .machine/vmstat; cat .machine/check; cd ..; memcgfs umount cg'

say "The same container on a machine where somebody else has 1000 pages, which has nothing to do with it, lives."
run 'memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir .machine/tasks/7; echo touch 0 1000 w >.machine/tasks/7/ctl'
four_pages
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "The first release (dialect 2008) scans shares of the container's own lists, down to a single page.  The idle machine again:"
run 'memcgfs mount -o dialect=2008,ram=64M,swap=64M cg; cd cg'
run 'mkdir tiny .machine/tasks/101; echo 16K >tiny/memory.limit_in_bytes; echo 101 >tiny/tasks'
run 'echo touch 0 40 w >.machine/tasks/101/ctl; grep -E "^(State|Touched|VmSwap):" .machine/tasks/101/status; cat tiny/memory.failcnt'
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "40 pages written, and read back, in 1, 2, 4 and 8 pages, with a disk that answers at once: on a real kernel the counts of" \
    "refused attempts were 237, 78, 39 and 19."
run 'memcgfs mount -o dialect=2008,ram=64M,swap=64M,disk=0,0,128 cg; cd cg'
run 'for pages in 1 2 4 8; do
      mkdir tiny-$pages .machine/tasks/10$pages; echo $((pages * 4))K >tiny-$pages/memory.limit_in_bytes; echo 10$pages >tiny-$pages/tasks
      for access in w r; do echo touch 0 40 $access >.machine/tasks/10$pages/ctl; done; cat tiny-$pages/memory.failcnt
  done'
run 'cat .machine/check'
