# What the example sessions share: a directory of their own to mount in, and commands that are printed before they run.
#
#     say LINE...     an explanation
#     run COMMAND     prints `$ COMMAND`, runs it in this shell, and prints what it answers, complaints included
#
# Sourced, not run.  Leaves neither a mount nor a directory behind, however the session ends.
set -u
export LC_ALL=C
# Asked for help, a session says what its first lines say.  It takes no options.
case ${1-} in
    -h | --help) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; exit ;;
    -*) echo "$0: $1: no such option" >&2; exit 2 ;;
esac
command -v memcgfs >/dev/null || { echo "memcgfs is not on the PATH (make install, or make run)" >&2; exit 127; }
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
directory=$(mktemp -d)
chmod 755 "$directory"

leave() {
    cd /
    ! mountpoint -q "$directory/cg" || memcgfs umount "$directory/cg"
    rm -r "$directory"
}
trap leave EXIT
trap 'exit 130' INT TERM

say() { echo; printf '# %s\n' "$@"; }

run() {
    printf '$ %s\n' "$1"
    eval "$1" 2>"$directory/complaints"
    # The shell names the script and the line before its complaint; at a prompt it would not.
    sed -E 's/^[^ ]*: (eval: )?line [0-9]+: //' "$directory/complaints"
    # Without a mount the rest would only play with plain directories.
    [[ $1 != *"memcgfs mount"* ]] || mountpoint -q "$directory/cg" || exit 1
}

cd "$directory"
