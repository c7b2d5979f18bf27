#!/usr/bin/env bash
# Read-ahead charges whoever runs: a container pays for pages that only another one's tasks will use.
. "$(dirname "$0")/session.sh"

two_containers() {
    run 'memcgfs mount -o ram=64M,swap=64M cg; cd cg; mkdir first second .machine/tasks/101 .machine/tasks/102'
    run 'echo 101 >first/tasks; echo 102 >second/tasks; echo 64 >first/memory.limit; echo 64 >second/memory.limit'
    run 'for page in 0 100 200 300; do for task in 101 102; do echo touch $page 100 w >.machine/tasks/$task/ctl; done; done'
    run 'echo 1000 >first/memory.limit; echo 1000 >second/memory.limit'
}
rss_and_usage='grep -h VmRSS .machine/tasks/*/status; cat first/memory.usage second/memory.usage'

mkdir cg
say "Two tasks, 101 in container first and 102 in second, write in turns under a limit, so that their slots in swap are" \
    "neighbours.  Then there is room."
two_containers
run "$rss_and_usage"

say "Task 101 reads its 400 pages.  Each read from swap brings all slots of a block of eight, also those of task 102."
run 'echo touch 0 400 r >.machine/tasks/101/ctl'
run "$rss_and_usage"

say "Task 102 finds those in memory when it wants them.  It maps them, and its container pays for the rest of its pages only."
run 'echo touch 0 400 r >.machine/tasks/102/ctl'
run "$rss_and_usage"

say "Files: task 102 wants one page after the other, and the kernel reads ahead of it.  It stops after 20, and its" \
    "container has paid for 60.  Task 101 reads the next 20 for nothing."
run 'echo write data 0 100 >.machine/tasks/102/ctl; echo fsync data >.machine/tasks/102/ctl; echo 1 >.machine/sys/vm/drop_caches'
run 'cat first/memory.usage second/memory.usage'
run 'for page in {0..19}; do echo read data $page 1 >.machine/tasks/102/ctl; done; cat first/memory.usage second/memory.usage'
run 'for page in {20..39}; do echo read data $page 1 >.machine/tasks/101/ctl; done; cat first/memory.usage second/memory.usage'
run 'cat .machine/check; cd ..; memcgfs umount cg'

say "The same with page-cluster 0, which reads nothing ahead from swap: everybody pays for what is theirs."
two_containers
run 'echo 0 >.machine/sys/vm/page-cluster; echo touch 0 400 r >.machine/tasks/101/ctl; echo touch 0 400 r >.machine/tasks/102/ctl'
run "$rss_and_usage"
