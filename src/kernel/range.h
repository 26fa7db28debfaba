/* The true range of a bar: its height, or with the gap to the close before it. */
#ifndef HARRIER_KERNEL_RANGE_H
#define HARRIER_KERNEL_RANGE_H

#include "kernel/vector.h"

INLINE double true_range(double high, double low, double last)
{
    return max_of(max_of(fabs(low - last), fabs(high - last)), high - low);
}
INLINE f64x4 true_range4(f64x4 high, f64x4 low, f64x4 last)
{
    return max4(max4(abs4(low - last), abs4(high - last)), high - low);
}

#endif
