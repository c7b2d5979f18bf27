#!/usr/bin/env bash
# Cgroup v1 tells whoever asks: of thresholds, of being out of memory, and of pressure, through eventfds; and it refuses a limit that
# cannot be met.
. "$(dirname "$0")/session.sh"

listen() { # NAME FILE [ARGUMENT]: a listener whose lines go to the file NAME, from when it listens
    "$checkout/examples/cgroup_event_listener" "${@:2}" >"$directory/$1" &
    until grep -qs listening "$directory/$1"; do sleep 0.02; done
}
heard() { # NAME COUNT: what it has said, when it has said so much
    until [ "$(grep -vc listening "$directory/$1")" -ge "$2" ]; do sleep 0.02; done
    grep -v listening "$directory/$1"
}

run 'mkdir cg; memcgfs mount -o dialect=v1,kmem=off,ram=64M,swap=64M cg; cd cg'
run 'mkdir web .machine/tasks/101; echo 101 >web/cgroup.procs'

say "A real program, which knows nothing of this tree, wants to hear when the usage crosses 1 MiB: it writes the numbers of an" \
    "eventfd and of the open file to cgroup.event_control."
run 'listen threshold web/memory.usage_in_bytes 1M'
run 'echo touch 0 800 w >.machine/tasks/101/ctl; cat web/memory.usage_in_bytes; heard threshold 1'

say "It is crossed in both directions."
run 'echo munmap 0 620 >.machine/tasks/101/ctl; cat web/memory.usage_in_bytes; heard threshold 2'

say "Lowered, a limit makes room at once, and what does not fit is in swap."
run 'echo 600K >web/memory.limit_in_bytes; cat web/memory.usage_in_bytes; grep -E "^(rss|swap) " web/memory.stat'

say "Locked pages cannot go anywhere: EBUSY, and the old limit stands."
run 'echo mmap 1000 100 anon locked >.machine/tasks/101/ctl; echo 300K >web/memory.limit_in_bytes'
run 'cat web/memory.limit_in_bytes'

say "With memory and swap limited together, and the OOM killer disabled, a task that finds no memory waits.  Somebody is told, and may" \
    "do something about it."
run 'echo 2M >web/memory.memsw.limit_in_bytes; echo 1 >web/memory.oom_control'
run 'listen oom web/memory.oom_control'
run 'echo touch 2000 1000 w >.machine/tasks/101/ctl & heard oom 1; cat web/memory.oom_control'
run 'echo 8M >web/memory.memsw.limit_in_bytes; wait $!; grep Touched .machine/tasks/101/status; cat web/memory.oom_control'

say "Removed, a group lets its listeners go."
run 'rmdir .machine/tasks/101 web; heard oom 2; heard threshold 3'
run 'cat .machine/check'
