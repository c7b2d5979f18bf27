#!/usr/bin/env bash
# Read-ahead charges whoever runs: a container pays for pages that only another one's tasks will use.
. "$(dirname "$0")/session.sh"

# OPTIONS, the name of the limit's file, and 64 and 1000 pages in its unit.
two_containers() {
    run "memcgfs mount -o $1 cg; cd cg; mkdir first second .machine/tasks/101 .machine/tasks/102"
    run "echo 101 >first/tasks; echo 102 >second/tasks; echo $3 >first/$2; echo $3 >second/$2"
    run 'for page in 0 100 200 300; do for task in 101 102; do echo touch $page 100 w >.machine/tasks/$task/ctl; done; done'
    run "echo $4 >first/$2; echo $4 >second/$2"
}
of_2007='ram=64M,swap=64M memory.limit 64 1000'
usage='cat first/memory.usage second/memory.usage'
rss='grep -h VmRSS .machine/tasks/*/status'

mkdir cg
say "Two tasks, 101 in container first and 102 in second, write in turns under a limit, so that their slots in swap are" \
    "neighbours.  Then there is room."
two_containers $of_2007
run "$rss; $usage"

say "Task 101 reads its 400 pages.  Each read from swap brings all slots of a block of eight, also those of task 102."
run 'echo touch 0 400 r >.machine/tasks/101/ctl'
run "$rss; $usage"

say "Task 102 finds those in memory when it wants them.  It maps them, and its container pays for the rest of its pages only."
run 'echo touch 0 400 r >.machine/tasks/102/ctl'
run "$rss; $usage"

say "Files: task 102 wants one page after the other, and the kernel reads ahead of it.  It stops after 20, and its" \
    "container has paid for 60.  Task 101 reads the next 20 for nothing."
run 'echo write data 0 100 >.machine/tasks/102/ctl; echo fsync data >.machine/tasks/102/ctl; echo 1 >.machine/sys/vm/drop_caches'
run "$usage"
run "for page in {0..19}; do echo read data \$page 1 >.machine/tasks/102/ctl; done; $usage"
run "for page in {20..39}; do echo read data \$page 1 >.machine/tasks/101/ctl; done; $usage"
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "The same with page-cluster 0, which reads nothing ahead from swap: everybody pays for what is theirs."
two_containers $of_2007
run 'echo 0 >.machine/sys/vm/page-cluster; echo touch 0 400 r >.machine/tasks/101/ctl; echo touch 0 400 r >.machine/tasks/102/ctl'
run "$rss; $usage"
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "The first release (dialect 2008) charges the swap cache to nobody.  The same, with a disk that answers at once, since with a" \
    "slower one all pages would still be in memory, beyond both limits."
two_containers dialect=2008,ram=64M,swap=64M,disk=0,0,128 memory.limit_in_bytes 256K 4000K
usage='cat first/memory.usage_in_bytes second/memory.usage_in_bytes'
run "$rss; $usage; grep SwapCached .machine/meminfo"

say "Task 101 reads 352 pages from swap, and 31 of task 102's with them, which nobody pays for.  Each container pays for what its" \
    "task maps, 1638400 bytes for 400 pages."
run "echo touch 0 400 r >.machine/tasks/101/ctl; $rss; $usage; grep SwapCached .machine/meminfo"
run "echo touch 0 400 r >.machine/tasks/102/ctl; $rss; $usage"

say "Files are as before: who reads pays for what is read ahead, 245760 bytes for 60 pages after 20."
run 'echo write data 0 100 >.machine/tasks/102/ctl; echo fsync data >.machine/tasks/102/ctl; echo 1 >.machine/sys/vm/drop_caches'
run "for page in {0..19}; do echo read data \$page 1 >.machine/tasks/102/ctl; done; $usage; cat .machine/check"
