/* A histogram of durations or sizes with buckets that grow with the value: relative error at most
 * 1/64 from 1 to 2^64, fixed memory, no allocation, mergeable.  After HdrHistogram (G. Tene). */
#ifndef HARRIER_BASE_HISTOGRAM_H
#define HARRIER_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 64 * 59 };

struct histogram {
    uint64_t count, sum, min, max;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The smallest recorded value (to 1/64) that `share` of all values do not exceed; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double share);
double histogram_mean(const struct histogram *histogram);

#endif
