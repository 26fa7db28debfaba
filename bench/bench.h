/* bench: a figure, as every program here prints one:  NAME  LEAST  UNIT  median MEDIAN */
#ifndef HARRIER_BENCH_H
#define HARRIER_BENCH_H

#include <stdio.h>
#include <stdlib.h>

static int figure_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts the times; the least of them, in ns.  A unit is so many ns. */
static inline double figure(const char *name, double *taken_ns, int count, double unit_ns,
                            const char *unit)
{
    qsort(taken_ns, (size_t)count, sizeof *taken_ns, figure_compare);
    printf("%-28s %10.4f  %-8s median %10.4f\n", name, taken_ns[0] / unit_ns, unit,
           taken_ns[count / 2] / unit_ns);
    fflush(stdout);
    return taken_ns[0];
}

/* The same as a rate: `amount` was done each time; the unit is so many a ns. */
static inline void figure_rate(const char *name, double *taken_ns, int count, double amount,
                               const char *unit)
{
    qsort(taken_ns, (size_t)count, sizeof *taken_ns, figure_compare);
    printf("%-28s %10.4f  %-8s median %10.4f\n", name, amount / taken_ns[0], unit,
           amount / taken_ns[count / 2]);
    fflush(stdout);
}

#endif
