#!/usr/bin/env bash
# swapoff charges whoever runs it: the administrator's container pays for everybody's pages.
. "$(dirname "$0")/session.sh"

sizes='grep -E "^Vm(RSS|Swap):" .machine/tasks/101/status'
numbers="cat web/memory.usage admin/memory.usage; $sizes"

# OPTIONS, the name of the limit's file, and 64 pages in its unit.
most_in_swap() {
    run "memcgfs mount -o $1 cg; cd cg; mkdir web admin .machine/tasks/101 .machine/tasks/201"
    run "echo 101 >web/tasks; echo 201 >admin/tasks; echo $3 >web/$2"
    run "echo touch 0 300 w >.machine/tasks/101/ctl; echo +1s >.machine/clock; $numbers"
}

mkdir cg
say "A task in container web has most of its 300 pages in swap, for its limit is 64.  What is in swap only is charged to nobody."
most_in_swap ram=64M,swap=64M memory.limit 64

say "Somebody in container admin gives the swap up.  Every page comes back for task 101, and is charged to admin, for good: who" \
    "maps a page that is charged already adds nothing.  The limit of web does not hold for these pages."
run "echo swapoff /dev/swap >.machine/tasks/201/ctl; $numbers"
run 'rmdir .machine/tasks/201; cat admin/memory.usage; rmdir admin; cat .machine/check; cd ..; memcgfs umount cg'

say "Where admin has a limit, the pages fill it, and cannot be swapped out again, since the swap is being given up.  In the end" \
    "the runner is killed: to the OOM killer whoever runs swapoff is the worst task of all.  The swap stays in use."
most_in_swap ram=64M,swap=64M memory.limit 64
run "echo 40 >admin/memory.limit; echo swapoff /dev/swap >.machine/tasks/201/ctl; $numbers"
run 'grep -E "^(State|Died):" .machine/tasks/201/status; cat .machine/swaps .machine/log .machine/check; cd ..; memcgfs umount cg'

numbers="cat web/memory.usage_in_bytes admin/memory.usage_in_bytes; $sizes"

say "The first release (dialect 2008) charges the owner of each page, whatever the limit of admin: 1228800 bytes are 300 pages, if" \
    "web may have so many."
most_in_swap dialect=2008,ram=64M,swap=64M memory.limit_in_bytes 256K
run "echo 160K >admin/memory.limit_in_bytes; echo 1200K >web/memory.limit_in_bytes; echo swapoff /dev/swap >.machine/tasks/201/ctl"
run "$numbers; cat .machine/swaps"
run 'rmdir .machine/tasks/201 admin; cat .machine/check; cd ..; memcgfs umount cg'

say "If it may not, task 101 is killed, which had asked for nothing, and swapoff fails all the same."
most_in_swap dialect=2008,ram=64M,swap=64M memory.limit_in_bytes 256K
run 'echo swapoff /dev/swap >.machine/tasks/201/ctl; cat web/memory.usage_in_bytes admin/memory.usage_in_bytes'
run 'grep -E "^(State|Died):" .machine/tasks/101/status .machine/tasks/201/status; cat .machine/swaps .machine/log .machine/check'
