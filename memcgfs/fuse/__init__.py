"""The face towards the kernel: a tree as a mounted filesystem.  The only place of pyfuse3 and trio.

Read in this order:

- `operations`: each request is one call into the tree;
- `stalls`: callers that wait for real, for an answer or for something to read;
- `host`: the processes of this computer, as members of containers; `births`: how it hears of forks;
- `eager`: why a request does not pass through trio's scheduler;
- `daemon`: a mount from its first request to its last;
- `mountpoint`: what lies at a path, and taking it away.

`mountpoint` imports neither pyfuse3 nor trio, so that a refusal and `memcgfs umount` are quick.
"""
