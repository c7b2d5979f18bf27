#!/usr/bin/env bash
# What the functional tests of the Linux Test Project ask of a memory controller, asked of a mounted tree: with real processes, one a
# test, whose memory is that of a simulated task (memcg_process).  Ends with how many did not pass.
#
#     examples/ltp-memcg.sh          on a tree of its own
#     examples/ltp-memcg.sh DIR      in the tree that is mounted at DIR with dialect v1
. "$(dirname "$0")/session.sh"
set -f # what is written to a file is a word

if [ $# = 0 ]; then
    run 'mkdir cg; memcgfs mount -o dialect=v1,ram=64M,swap=64M cg; cd cg'
else
    cd "$1" || exit 2
fi
root=$PWD failed=0 helper=
page=4096 many=$((65 * 4096)) # more than a cpu charges ahead

# --- what a test is made of ---------------------------------------------------------------------------------------------------

result() { printf '%s %s\n' "$1" "$2"; [ "$1" = PASS ] || failed=$((failed + 1)); }

# is NAME VALUE LEAST [MOST]
is() { if [ "$2" -ge "$3" ] && [ "$2" -le "${4:-$3}" ]; then result PASS "$1"; else result FAIL "$1: $2, expected $3${4:+ to $4}"; fi; }

# takes FILE WORD..., refuses FILE WORD...: what a write of each word ends with
takes() { local file=$1 word; shift; for word; do if write "$file" "$word"; then result PASS "$file takes $word"; else result FAIL "$file takes $word"; fi; done; }
refuses() { local file=$1 word; shift; for word; do if write "$file" "$word"; then result FAIL "$file refuses $word"; else result PASS "$file refuses $word"; fi; done; }
write() { echo "$2" 2>/dev/null >"$1"; }

usage() { cat "${1:-.}/memory.usage_in_bytes"; }
stat() { sed -n "s/^$1 //p" "${2:-.}/memory.stat"; }
kernel_memory() { cat "${1:-.}/memory.kmem.usage_in_bytes"; }

start() { # OPTIONS...: a helper that is ready, here in this group
    "$checkout/examples/memcg_process" "$@" 2>/dev/null &
    helper=$!
    until [ -d "$root/.machine/tasks/$helper" ] && [ -w "$root/.machine/tasks/$helper/ctl" ]; do sleep 0.02; done
    echo $helper >tasks
}

toggle() { # BYTES [GROUP]: it touches or releases that much, or dies of it
    local before now
    before=$(usage "${2:-.}")
    kill -USR1 $helper
    while kill -0 $helper 2>/dev/null; do
        now=$(usage "${2:-.}")
        # Pages that have come or gone are in memory.stat by then, whether the helper has waited for it already or not.
        [ $((now - before)) -lt "$1" ] && [ $((before - now)) -lt "$1" ] || { echo +2s >"$root/.machine/clock"; return; }
        sleep 0.02
    done
}

dies() { # BYTES [GROUP]: the status that it dies with, of which the shell would speak, too
    toggle "$@"
    wait $helper
} 2>/dev/null

stop() { kill -INT $helper; wait $helper; }

group() { # NAME COMMAND: in a new group, which is removed in the end
    mkdir "$root/$1"
    cd "$root/$1" || exit 2
    eval "$2"
    cd "$root" || exit 2
    rmdir "$root/$1" || result FAIL "$1 can be removed"
}

# --- the tests ----------------------------------------------------------------------------------------------------------------

usage_is() { # FILE LIMITS: a thousand pages and what the kernel needs for them
    [ -z "${2:-}" ] || takes memory.limit_in_bytes $((2048 * page))
    [ -z "${2:-}" ] || takes memory.memsw.limit_in_bytes $((2048 * page))
    start --mmap-anon -s $((1024 * page))
    toggle $((1024 * page))
    is "$1 shows 1024 pages" $(($(cat "$1") - $(kernel_memory))) $((1024 * page)) $((1024 * page + many))
    stop
}

max_usage_is() { # FILE
    start --mmap-anon -s $((1024 * page))
    toggle $((1024 * page)); toggle $((1024 * page))
    is "$1 keeps 1024 pages" $(($(cat "$1") - $(kernel_memory))) $((1024 * page)) $((1024 * page + many))
    takes "$1" 0
    is "$1 is the usage again" "$(cat "$1")" "$(usage)"
    stop
}

stat_is() { # ITEM PAGES KINDS...: and 0 when they are released
    local item=$1 pages=$2
    shift 2
    start "$@" -s $many
    toggle $many
    is "$item of $*" "$(stat "$item")" $((pages * page))
    toggle $many
    is "$item when it is released" "$(stat "$item")" 0
    stop
}

killed() { # LIMIT KIND BYTES [memsw]
    takes memory.limit_in_bytes "$1"
    [ -z "${4:-}" ] || takes memory.memsw.limit_in_bytes "$1"
    start "$2" -s "$3"
    dies "$3"
    is "$2 of $3 bytes, with $1 allowed, ends by SIGKILL" $? 137
    rmdir "$root/.machine/tasks/$helper"
}

rounded() { # FILE BYTES
    write memory.limit_in_bytes "$2"
    write "$1" "$2"
    is "$1 rounds $2 down" "$(cat "$1")" $(($2 / page * page))
}

failcnt_counts() { # KIND
    takes memory.limit_in_bytes $many
    start "$1" -s $((2 * many))
    kill -USR1 $helper
    until [ "$(cat memory.failcnt)" -gt 0 ]; do sleep 0.02; done
    is "failcnt counts with $1" "$(cat memory.failcnt)" 1 1000000
    stop
}

force_empty_takes() {
    start --mmap-anon -s $((many))
    toggle $many
    takes memory.force_empty 0 1 1.0 1xx xx
    is "the task's memory is in swap" "$(stat rss)" 0
    stop
    is "nothing is left of it" "$(stat swap)" 0
}

hierarchy_is_always() {
    is "use_hierarchy" "$(cat memory.use_hierarchy)" 1
    takes memory.use_hierarchy 1
    refuses memory.use_hierarchy 0 2
    takes memory.limit_in_bytes $many
    takes memory.memsw.limit_in_bytes $((2 * many))
    mkdir inner
    takes inner/memory.limit_in_bytes $((4 * many))
    is "hierarchical_memory_limit is the lower one" "$(stat hierarchical_memory_limit inner)" $many
    is "hierarchical_memsw_limit, too" "$(stat hierarchical_memsw_limit inner)" $((2 * many))
    rmdir inner
}

charges_stay() { # LIMIT of the group that the task moves to
    mkdir inner
    takes inner/memory.limit_in_bytes "$1"
    start --mmap-anon -s $((2 * many))
    toggle $((2 * many))
    is "rss where it was touched" "$(stat rss)" $((2 * many))
    echo $helper >inner/tasks
    is "rss where the task went" "$(stat rss inner)" 0
    echo $helper >tasks
    stop
    rmdir inner
}

topmost_limit_holds() {
    takes memory.limit_in_bytes $((4 * many))
    takes memory.memsw.limit_in_bytes $((4 * many))
    mkdir inner
    start --mmap-shared -s $((8 * many))
    echo $helper >inner/tasks
    dies $((8 * many)) inner
    is "a task below dies of the limit above" $? 137
    rmdir "$root/.machine/tasks/$helper"
    rmdir inner
}

say "usage_in_bytes"
group usage1 'usage_is memory.usage_in_bytes'
group usage2 'usage_is memory.memsw.usage_in_bytes limited'

say "max_usage_in_bytes"
group max1 'max_usage_is memory.max_usage_in_bytes'
group max2 'max_usage_is memory.memsw.max_usage_in_bytes'

say "stat"
group stat1 'stat_is rss 65 --mmap-anon'
group stat2 'stat_is rss 0 --mmap-file'
group stat3 'stat_is rss 0 --shm -k 3'
group stat4 'stat_is rss 65 --mmap-anon --mmap-file --shm'
group stat5 'stat_is rss 65 --mmap-lock1'
group stat6 'stat_is cache 65 --mmap-file'
group stat7 'stat_is cache 65 --shm -k 4'
group stat8 'stat_is cache 130 --mmap-anon --mmap-file --shm'
group stat9 'stat_is rss 65 --mmap-lock2'

say "limit_in_bytes"
group limit1 "killed $page --mmap-lock1 $((2 * page))"
group limit2 "killed $page --mmap-lock2 $((2 * page))"
group limit3 "killed 0 --mmap-anon $page"
group limit4 "killed 0 --mmap-file $page"
group limit5 "killed 0 --shm $page"
for bytes in $((page - 1)) $((page + 1)) 1; do group limit6 "rounded memory.limit_in_bytes $bytes"; done
group limit7 'takes memory.limit_in_bytes -1; refuses memory.limit_in_bytes 1.0 1xx xx'

say "memsw.limit_in_bytes"
group memsw1 "killed $page --mmap-anon $((2 * page)) memsw"
group memsw2 "killed $page --mmap-shared $((2 * page)) memsw"
for bytes in $((page - 1)) $((page + 1)) 1; do group memsw3 "rounded memory.memsw.limit_in_bytes $bytes"; done
group memsw4 'takes memory.memsw.limit_in_bytes -1; refuses memory.memsw.limit_in_bytes 1.0 1xx xx'
group memsw5 "takes memory.limit_in_bytes $many; refuses memory.memsw.limit_in_bytes $page"

say "failcnt"
for kind in --mmap-anon --mmap-file --shm; do group failcnt "failcnt_counts $kind"; done

say "force_empty"
group empty force_empty_takes
refuses memory.force_empty 0

say "use_hierarchy"
group hierarchy hierarchy_is_always

say "move_charge_at_immigrate: charges are not moved any more, which only 0 says"
group move 'takes memory.move_charge_at_immigrate 0; refuses memory.move_charge_at_immigrate 1 2 3'

say "charges and groups inside"
group inner1 "charges_stay $((4 * many))"
group inner2 "charges_stay $((2 * many))"
group inner3 'charges_stay 0'
group control topmost_limit_holds

say "$failed did not pass"
run 'cat .machine/check'
[ $failed = 0 ]
