/*
 * The yardstick of bench_faults.py: how many minor faults of anonymous memory the host's kernel handles in a second.
 *
 * Each page of a mapping is written once, then all are given back with MADV_DONTNEED, over and over. Pages are of 4096 bytes: huge
 * ones are declined. Prints faults a second, as getrusage counted them.
 *
 *     gcc -O2 -o kernel_faults kernel_faults.c && ./kernel_faults
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum { NR_PAGES = 1 << 16, ROUNDS = 10, PAGE_BYTES = 4096 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

int main(void)
{
	size_t length = (size_t)NR_PAGES * PAGE_BYTES;
	volatile char *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	double started, seconds = 0;
	long faults = 0;

	if (pages == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	madvise((void *)pages, length, MADV_NOHUGEPAGE);
	for (int round = 0; round < ROUNDS; round++) {
		faults -= minor_faults();
		started = now();
		for (size_t at = 0; at < length; at += PAGE_BYTES)
			pages[at] = 1;
		seconds += now() - started;
		faults += minor_faults();
		madvise((void *)pages, length, MADV_DONTNEED);
	}
	if (faults < (long)NR_PAGES * ROUNDS) {
		fprintf(stderr, "only %ld faults: are the pages really of %d bytes?\n", faults, PAGE_BYTES);
		return 1;
	}
	printf("%.0f\n", faults / seconds);
	return 0;
}
