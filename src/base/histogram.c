/* Values below 64 have a bucket each; above, each power of two is cut into 64 equal buckets, so
 * that a bucket is never wider than 1/64 of the values in it. */
#include "base/histogram.h"

#include <string.h>

enum { PARTS_LOG2 = 6, PARTS = 1 << PARTS_LOG2 };

static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < PARTS)
        return (unsigned)value;
    shift = 63 - PARTS_LOG2 - (unsigned)__builtin_clzll(value);
    return (shift + 1) * PARTS + (unsigned)((value >> shift) - PARTS);
}

static uint64_t bucket_last(unsigned bucket)
{
    unsigned shift;

    if (bucket < PARTS)
        return bucket;
    shift = bucket / PARTS - 1;
    return ((uint64_t)(bucket % PARTS + PARTS) << shift) + (((uint64_t)1 << shift) - 1);
}

void histogram_init(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
    histogram->min = UINT64_MAX;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    if (value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->bucket[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    into->sum += from->sum;
    if (from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->bucket[i];
        if (seen > 0 && (double)seen >= wanted) {
            uint64_t value = bucket_last(i);

            return value > histogram->max ? histogram->max : value;
        }
    }
    return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count ? (double)histogram->sum / (double)histogram->count : 0;
}
