/*
 * The yardstick of bench_files.py: how many pages of a cached file the host's kernel reads in a second.
 *
 * The file lies in memory (memfd_create, a file of tmpfs), has been written, and is read from its start to its end, a page of 4096 bytes
 * a pread, over and over: a system call, a look-up in the page cache and a copy each. Prints reads a second.
 *
 *     gcc -O2 -o kernel_reads kernel_reads.c && ./kernel_reads
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NR_PAGES = 50000, ROUNDS = 20, PAGE_BYTES = 4096 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void)
{
	static char page[PAGE_BYTES];
	int file = memfd_create("reads", 0);
	double started;

	if (file < 0) {
		perror("memfd_create");
		return 1;
	}
	for (int i = 0; i < NR_PAGES; i++)
		if (pwrite(file, page, PAGE_BYTES, (off_t)i * PAGE_BYTES) != PAGE_BYTES) {
			perror("pwrite");
			return 1;
		}
	started = now();
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < NR_PAGES; i++)
			if (pread(file, page, PAGE_BYTES, (off_t)i * PAGE_BYTES) != PAGE_BYTES) {
				perror("pread");
				return 1;
			}
	printf("%.0f\n", (double)ROUNDS * NR_PAGES / (now() - started));
	return 0;
}
