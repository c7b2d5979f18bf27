#!/usr/bin/env bash
# A container is out of memory, and the OOM killer takes a task that is not in it.
# Needs root, since oom_adj is lowered.
. "$(dirname "$0")/session.sh"

run 'mkdir cg; memcgfs mount -o ram=64M,swap=0 cg; cd cg'

say "Task 50 is in no container, and bothers nobody."
run 'mkdir .machine/tasks/50; echo touch 0 3 w >.machine/tasks/50/ctl'

say "In the container is a daemon that must not be killed, as people wish it for sshd: oom_adj -17."
run 'mkdir box .machine/tasks/101; echo 20 >box/memory.limit; echo 101 >box/tasks; echo -17 >.machine/tasks/101/oom_adj'

say "It uses the container's 20 pages, and wants one more."
run 'echo touch 0 21 w >.machine/tasks/101/ctl'
run 'cat .machine/log'

say "Tasks of other containers have 0 points, but they are looked at all the same, and the first one that may be killed is" \
    "kept however few points it has.  Task 50 dies for nothing: the container has no page more for it.  The daemon dies" \
    "as well, because its fault has failed, whomever the killer chose."
run 'grep -E "^(State|Died):" .machine/tasks/50/status .machine/tasks/101/status'

say "With a second task inside that may be killed, that one is taken, and outsiders live."
run 'mkdir .machine/tasks/60 .machine/tasks/201 .machine/tasks/202; for task in 201 202; do echo $task >box/tasks; done'
run 'echo touch 0 10 w >.machine/tasks/201/ctl; echo -17 >.machine/tasks/202/oom_adj; echo touch 0 11 w >.machine/tasks/202/ctl'
run 'grep -E "^(State|Died):" .machine/tasks/60/status .machine/tasks/201/status; cat .machine/check; cd ..; memcgfs umount cg'

say "The first release (dialect 2008) looks at members only, so task 50 lives.  But where all of them have -17 it finds nobody," \
    "turns to the task that faulted, may not kill it, and begins again; the kernel printed its line for ever.  The machine" \
    "says so, and lets the fault kill."
run 'memcgfs mount -o dialect=2008,ram=64M,swap=0 cg; cd cg; mkdir .machine/tasks/50; echo touch 0 3 w >.machine/tasks/50/ctl'
run 'mkdir box .machine/tasks/101; echo 80K >box/memory.limit_in_bytes; echo 101 >box/tasks; echo -17 >.machine/tasks/101/oom_adj'
run 'echo touch 0 21 w >.machine/tasks/101/ctl'
run 'cat .machine/log; grep -E "^(State|Died):" .machine/tasks/50/status .machine/tasks/101/status'

say "Outsiders still die as somebody's children.  Task 301 has one in another container; it goes first, and frees nothing" \
    "here.  Then 301 dies of its fault."
run 'mkdir other .machine/tasks/301; echo 301 >box/tasks; echo fork 302 >.machine/tasks/301/ctl; echo 302 >other/tasks'
run 'echo touch 0 3 w >.machine/tasks/302/ctl; echo touch 0 21 w >.machine/tasks/301/ctl'
run 'tail -n 3 .machine/log; grep -E "^(State|Died):" .machine/tasks/301/status .machine/tasks/302/status; cat .machine/check'
