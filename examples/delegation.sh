#!/usr/bin/env bash
# A container given away: whoever owns the directory and its `tasks` runs it, under a limit that is not theirs.
# Needs root, since it acts as another user.
. "$(dirname "$0")/session.sh"
somebody() { setpriv --reuid 12345 --regid 12345 --clear-groups bash -c "$1"; }
run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir guest; echo 100 >guest/memory.limit; chown 12345:12345 guest guest/tasks'

say "User 12345, whom we call somebody, may divide it up."
run "somebody 'mkdir guest/job; echo 30 >guest/job/memory.limit; cat guest/job/memory.limit'"
run 'ls -dn --time-style=+%F guest/job'

say "Tasks of one's own may be made by everybody, and attached to what one may write to."
run "somebody 'mkdir .machine/tasks/101; echo 101 >guest/job/tasks; echo touch 0 50 >.machine/tasks/101/ctl'"
run 'cat guest/job/tasks guest/job/memory.usage'

say "The limit above is not theirs, nor are other people's tasks and containers."
run "somebody 'echo 1000 >guest/memory.limit'"
run "mkdir .machine/tasks/7; somebody 'echo 7 >guest/tasks'"
run "somebody 'mkdir mine'"
run 'cat guest/memory.limit .machine/check'
