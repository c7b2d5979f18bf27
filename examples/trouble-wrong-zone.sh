#!/usr/bin/env bash
# One page of another zone at the tail of a container's list hides all pages behind it from reclaim.
. "$(dirname "$0")/session.sh"

# A container with 64 clean pages of a file, its limit, the oldest of which came when high memory was full.  One page more.
# OPTIONS, the names of usage and limit, and 64 pages in their unit.
one_page_too_many() {
    run "memcgfs mount -o $1 cg; cd cg; mkdir web .machine/tasks/7 .machine/tasks/101"
    run 'echo write data 0 100 >.machine/tasks/7/ctl; echo fsync data >.machine/tasks/7/ctl; echo 1 >.machine/sys/vm/drop_caches'
    run "echo 101 >web/tasks; echo $4 >web/$3; echo fadvise data 0 100 random >.machine/tasks/101/ctl"
    run 'echo touch 0 33000 w >.machine/tasks/7/ctl; echo read data 0 1 >.machine/tasks/101/ctl'
    run 'echo madvise 0 1000 dontneed >.machine/tasks/7/ctl; echo read data 1 63 >.machine/tasks/101/ctl'
    run "cat web/$2 web/memory.failcnt .machine/clock"
    run 'echo read data 64 1 >.machine/tasks/101/ctl'
    run "cat web/$2 web/memory.failcnt .machine/clock; grep -E '^pg(scan_direct|steal)_.* [^0]' .machine/vmstat"
}

mkdir cg
say "i386 with 1 GB: 128 MB of it are high memory, where pages of users and files go first.  Task 7 fills it, page 0 of the" \
    "file comes to the zone below, and with room again in high memory pages 1 to 63 come there.  Then one page too many."
one_page_too_many ram=1G,arch=i386 memory.usage memory.limit 64
say "Reclaim goes zone by zone.  In high memory it meets page 0 at the tail, counts it, leaves it there, and meets it again," \
    "and so until the other zone's turn has come and taken it.  63 clean pages stood behind it all the time."
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "x86_64 has all of it in one zone, and the pages go at once."
one_page_too_many ram=1G,arch=x86_64 memory.usage memory.limit 64
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "The first release (dialect 2008) has a pair of lists for each zone of each container, so that on i386 too nothing stands in" \
    "the way: 32 pages go at once, and the 5 ms are the disk's for the new page.  (pgscan does not count what is for a container.)"
one_page_too_many dialect=2008,ram=1G,arch=i386 memory.usage_in_bytes memory.limit_in_bytes 256K
run 'cat .machine/check'
