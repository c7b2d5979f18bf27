/*
 * The yardstick of bench_fuse.py: one control file behind a one-threaded libfuse server, low-level interface.
 *
 * What it does for a request is the least any server does: `value` is rendered from a number at each read (direct_io, size 0) and
 * parsed at each write. Names and attributes may be cached by the kernel for ever, as memcgfs lets it.
 *
 *     gcc -O2 -o fuse_server fuse_server.c $(pkg-config --cflags --libs fuse3)
 *     ./fuse_server -f -o default_permissions,allow_other DIR
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROOT = FUSE_ROOT_ID, VALUE = 2 };

static const double FOREVER = 1e9;
static unsigned long long value = 64;

static void attributes(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_nlink = ino == ROOT ? 2 : 1;
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .ino = VALUE, .attr_timeout = FOREVER, .entry_timeout = FOREVER };

	if (parent != ROOT || strcmp(name, "value") != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	attributes(VALUE, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attributes(ino, &st);
	fuse_reply_attr(req, &st, FOREVER);
}

/* open(O_TRUNC), which is how a shell's `>` opens, changes nothing. */
static void do_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	(void)attr;
	(void)to_set;
	do_getattr(req, ino, fi);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	char text[32];
	size_t length = (size_t)snprintf(text, sizeof(text), "%llu\n", value);

	(void)ino;
	(void)fi;
	if ((size_t)offset >= length)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, text + offset, length - (size_t)offset < size ? length - (size_t)offset : size);
}

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset, struct fuse_file_info *fi)
{
	char text[32] = "", *end;

	(void)ino;
	(void)offset;
	(void)fi;
	memcpy(text, buf, size < sizeof(text) ? size : sizeof(text) - 1);
	value = strtoull(text, &end, 10);
	if (end == text)
		fuse_reply_err(req, EINVAL);
	else
		fuse_reply_write(req, size);
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = do_lookup,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.open = do_open,
	.read = do_read,
	.write = do_write,
};

int main(int argc, char *argv[])
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts options;
	struct fuse_session *session;
	int failed = 1;

	if (fuse_parse_cmdline(&args, &options) != 0 || options.mountpoint == NULL)
		return 2;
	session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
	if (session != NULL && fuse_set_signal_handlers(session) == 0 && fuse_session_mount(session, options.mountpoint) == 0) {
		failed = fuse_session_loop(session) < 0;
		fuse_session_unmount(session);
	}
	if (session != NULL)
		fuse_session_destroy(session);
	free(options.mountpoint);
	fuse_opt_free_args(&args);
	return failed;
}
