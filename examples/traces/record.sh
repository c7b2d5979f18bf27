#!/bin/sh
# Record shelf.trace.zst anew: every access to memory that mawk makes while it runs shelf.awk, as valgrind's lackey sees
# it.  Needs valgrind, mawk and zstd.  Addresses, and so the counts, differ a little from one version of mawk or libc to
# the next; the recording here is of Debian 12 (mawk 1.3.4, glibc 2.36, valgrind 3.19).
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1,400 lines of 1,500 characters.
mawk 'BEGIN { for (i = 0; i < 1400; i++) { s = i; while (length(s) < 1500) s = s " " i * i % 9973; print s } }' >"$work/lines"
LC_ALL=C valgrind --tool=lackey --trace-mem=yes --log-file="$work/trace" mawk -f shelf.awk "$work/lines"
zstd -19 --quiet --force "$work/trace" -o shelf.trace.zst
