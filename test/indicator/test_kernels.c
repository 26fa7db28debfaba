/* The indicators' kernels against slow references, and against themselves: builds, widths, blocks,
 * holes. */
#include "test.h"

#include "slow.h"

enum { BUILDS_MAX = 8, BARS = 330 };

static struct kernel_case one, other;
static struct kernel_result result, again;

/* Kernels of kernel_indicators.def whose reference is not in test/kernel. */
static bool is_ours(enum kernel_id kernel)
{
    return kernel >= KERNEL_SMA && kernel != KERNEL_SMA && kernel != KERNEL_EMA &&
           kernel != KERNEL_RSI && kernel != KERNEL_ATR;
}

/* Parameters as a user may set them: factors where a kernel takes factors, else periods. */
static double draw_parameter(enum kernel_id kernel, int k, uint64_t *seed, int most)
{
    bool factor = kernel == KERNEL_SAR ||
                  (k == 1 && (kernel == KERNEL_SUPERTREND || kernel == KERNEL_VAR ||
                              kernel == KERNEL_STDDEV));
    if (factor)
        return (1 + (double)harness_below(seed, 20)) / (kernel == KERNEL_SAR ? 50 : 5);
    return 1 + (double)harness_below(seed, (size_t)most);
}

static void draw_case(enum kernel_id kernel, enum harness_data data, int most, bool per_lane,
                      uint64_t seed)
{
    one = (struct kernel_case){.kernel = kernel, .bar_count = BARS};
    harness_fill(&one, data, seed);
    for (int i = kernel == KERNEL_MFI ? 0 : 3; i < 4;
         i++) /* volume and its flow are not negative */
        for (size_t t = 0; t < BARS; t++)
            for (size_t l = 0; l < LANES_MAX; l++)
                one.in[i][t][l] = fabs(one.in[i][t][l]);
    for (int k = 0; k < kernel_rows[kernel].parameters; k++) {
        double shared = draw_parameter(kernel, k, &seed, most);
        for (size_t l = 0; l < LANES_MAX; l++)
            one.parameter[k][l] = per_lane ? draw_parameter(kernel, k, &seed, most) : shared;
    }
}

static const struct kernels *best(void)
{
    return kernels_select(NULL, LANES_WIDE);
}

/* ---- right ----------------------------------------------------------------------------------- */

/* Within 1e-9 of the column, as TA-Lib's reference is held; a difference of averages near 0 has the
 * price's digits. */
static double column_scale(const double *column, const struct lane *lane)
{
    double scale = 0, price = 0;

    for (size_t i = 0; i < lane->count; i++) {
        scale = isfinite(column[i]) ? fmax(scale, fabs(column[i])) : scale;
        price = fmax(price, fabs(lane->value[0][i]));
    }
    return fmax(scale, 1e-6 * price);
}

static void check_against_slow(size_t l)
{
    static struct lane lane;
    static struct slow slow;

    reference_lane(&one, l, &lane);
    slow_run(one.kernel, &lane, &slow);
    for (int k = 0; k < kernel_rows[one.kernel].outputs; k++) {
        double scale = column_scale(slow.out[k], &lane);
        for (size_t i = 0; i < lane.count; i++) {
            double got = result.out[k][lane.bar[i]][l], wanted = slow.out[k][i];
            if (isnan(got) && isnan(wanted))
                continue;
            if (!(fabs(got - wanted) <= 1e-9 * scale)) {
                print_error(
                    "%s(%g, %g, %g): output %d of lane %zu at value %zu is %.17g, not %.17g\n",
                    kernel_rows[one.kernel].name, lane.parameter[0], lane.parameter[1],
                    lane.parameter[2], k, l, i, got, wanted);
                _fail(__FILE__, __LINE__);
            }
        }
    }
}

static void check_all(enum harness_data data, int most, bool per_lane)
{
    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++)
        for (uint64_t seed = 1; is_ours(kernel) && seed < 6; seed++) {
            draw_case(kernel, data, most, per_lane, seed * 1000 + kernel);
            if (data == DATA_STEPS && (kernel == KERNEL_BETA || kernel == KERNEL_NATR))
                continue; /* prices of 0 have no returns */
            harness_run(best(), &one, 64, &result);
            CHECK(!result.stray);
            for (size_t l = 0; l < LANES_MAX; l++)
                check_against_slow(l);
        }
}

TEST(indicators_agree_with_slow_references)
{
    check_all(DATA_PRICES, 30, false);
    check_all(DATA_PRICES, 120, false);
    check_all(DATA_PRICES, 30, true);
}

TEST(indicators_agree_where_lanes_begin_apart_and_have_holes)
{
    check_all(DATA_LEADING, 30, false);
    check_all(DATA_HOLES, 30, false);
    check_all(DATA_HOLES, 30, true);
}

TEST(indicators_agree_where_prices_stand_still)
{
    check_all(DATA_STEPS, 5, false);
    check_all(DATA_STEPS, 20, true);
}

/* ---- the same everywhere --------------------------------------------------------------------- */

static void check_same(const char *what)
{
    for (int k = 0; k < kernel_rows[one.kernel].outputs; k++)
        for (size_t t = 0; t < one.bar_count; t++)
            for (size_t l = 0; l < LANES_MAX; l++) {
                double a = result.out[k][t][l], b = again.out[k][t][l];
                if (memcmp(&a, &b, sizeof a) && !(isnan(a) && isnan(b))) {
                    print_error("%s: %s: output %d, bar %zu of lane %zu is %.17g and %.17g\n",
                                kernel_rows[one.kernel].name, what, k, t, l, a, b);
                    _fail(__FILE__, __LINE__);
                }
            }
}

TEST(builds_widths_and_block_sizes_give_the_same_bits)
{
    static const size_t blocks[] = {1, 2, 7, 64, 0};
    const char *names[BUILDS_MAX];
    size_t count = kernels_list(names, BUILDS_MAX);

    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++)
        for (int kind = 0; kind < 8; kind++) {
            draw_case(
                kernel,
                (enum harness_data[]){DATA_PRICES, DATA_LEADING, DATA_HOLES, DATA_STEPS}[kind / 2],
                20, kind % 2, 7 * kernel + (uint64_t)kind);
            harness_run(best(), &one, 64, &result);
            for (size_t i = 0; i < count; i++)
                for (size_t b = 0; b < ARRAY_COUNT(blocks); b++) {
                    harness_run(kernels_select(names[i], LANES_WIDE), &one, blocks[b], &again);
                    check_same("wide");
                    harness_run(kernels_select(names[i], LANES_NARROW), &one, blocks[b], &again);
                    check_same("narrow");
                }
        }
}

TEST(a_lane_does_not_feel_the_periods_of_its_neighbours)
{
    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++) {
        draw_case(kernel, DATA_PRICES, 40, true, kernel);
        harness_run(best(), &one, 64, &result);
        other = one;
        for (size_t lane = 0; lane < LANES_MAX; lane += 5) {
            for (int k = 0; k < kernel_rows[kernel].parameters; k++)
                for (size_t l = 0; l < LANES_MAX; l++)
                    one.parameter[k][l] = other.parameter[k][lane];
            harness_run(best(), &one, 64, &again);
            for (int k = 0; k < kernel_rows[kernel].outputs; k++)
                for (size_t t = 0; t < BARS; t++)
                    CHECK_SAME_BITS(&again.out[k][t][lane], &result.out[k][t][lane], 1);
        }
    }
}

TEST(no_bar_changes_by_what_comes_after_it)
{
    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++) {
        draw_case(kernel, DATA_PRICES, 20, false, 31 * kernel);
        harness_run(best(), &one, 64, &again);
        for (size_t count = 1; count < BARS; count += 1 + count / 9) {
            one.bar_count = count;
            harness_run(best(), &one, 64, &result);
            check_same("prefix");
        }
    }
}

/* The series without its holes, each lane closed up, must give the same bits on the bars that are
 * left. */
static void check_no_trace(enum kernel_id kernel, enum harness_data data, bool per_lane)
{
    static struct lane lane;
    size_t inputs = (size_t)kernel_rows[kernel].inputs;

    draw_case(kernel, data, 15, per_lane, 3 * kernel);
    harness_run(best(), &one, 64, &result);
    other = one;
    other.holes = false;
    for (size_t l = 0; l < LANES_MAX; l++) {
        reference_lane(&one, l, &lane);
        for (size_t i = 0; i < inputs; i++)
            for (size_t t = 0; t < BARS; t++)
                other.in[i][t][l] = lane.count ? lane.value[i][t < lane.count ? t : lane.count - 1]
                                               : NAN;
    }
    harness_run(best(), &other, 64, &again);
    for (size_t l = 0; l < LANES_MAX; l++) {
        reference_lane(&one, l, &lane);
        for (int k = 0; k < kernel_rows[kernel].outputs; k++)
            for (size_t i = 0; i < lane.count; i++)
                CHECK_SAME_BITS(&result.out[k][lane.bar[i]][l], &again.out[k][i][l], 1);
    }
}

TEST(a_bar_without_a_number_leaves_no_trace)
{
    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++)
        for (int per_lane = 0; per_lane < 2; per_lane++)
            check_no_trace(kernel, DATA_HOLES, per_lane);
}

TEST(a_long_absence_leaves_no_trace)
{
    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++)
        for (int per_lane = 0; per_lane < 2; per_lane++)
            check_no_trace(kernel, DATA_GAPS, per_lane);
}

/* ---- numbers that are hard ------------------------------------------------------------------- */

/* Prices of 10^9 that move by 1, and of 10^-9: relative to what they give, not to the price. */
TEST(a_large_price_costs_no_digits)
{
    static const enum kernel_id kernels[] = {KERNEL_VAR, KERNEL_STDDEV, KERNEL_LINEARREG_SLOPE,
                                             KERNEL_LINEARREG_ANGLE, KERNEL_CORREL};
    static struct lane lane;
    static struct slow slow;

    for (size_t k = 0; k < ARRAY_COUNT(kernels); k++)
        for (int n = 5; n < 130; n += 41) {
            one = (struct kernel_case){.kernel = kernels[k], .bar_count = BARS};
            uint64_t seed = 9;
            for (size_t t = 0; t < BARS; t++)
                for (size_t l = 0; l < LANES_MAX; l++)
                    for (int i = 0; i < 2; i++)
                        one.in[i][t][l] = 1e9 + (double)harness_below(&seed, 1000) / 1024;
            for (size_t l = 0; l < LANES_MAX; l++) {
                one.parameter[0][l] = n;
                one.parameter[1][l] = 1;
            }
            harness_run(best(), &one, 64, &result);
            reference_lane(&one, 3, &lane);
            slow_run(kernels[k], &lane, &slow);
            for (size_t t = 0; t < BARS; t++)
                if (kernels[k] == KERNEL_VAR || kernels[k] == KERNEL_STDDEV)
                    CHECK_NEAR(result.out[0][t][3], slow.out[0][t], 1e-12);
                else
                    CHECK(isnan(slow.out[0][t]) ||
                          fabs(result.out[0][t][3] - slow.out[0][t]) < 1e-12);
        }
}

/* The line through two values rises by their difference. */
TEST(angles_of_slopes_of_every_size_are_right_to_the_last_digits)
{
    one = (struct kernel_case){.kernel = KERNEL_LINEARREG_ANGLE, .bar_count = BARS};
    for (size_t l = 0; l < LANES_MAX; l++) {
        one.parameter[0][l] = 2;
        for (size_t t = 1; t < BARS; t += 2)
            one.in[0][t][l] = (l % 2 ? -1 : 1) * (1 + (double)l / 17) *
                              pow(1.25, (double)t - (double)BARS / 2);
    }
    harness_run(best(), &one, 64, &result);
    for (size_t l = 0; l < LANES_MAX; l++)
        for (size_t t = 1; t < BARS; t += 2) {
            double wanted = atan(one.in[0][t][l]) * 180 / acos(-1);
            CHECK(fabs(result.out[0][t][l] - wanted) <= 1e-15 * fabs(wanted));
        }
}

/* A spike has left the window: what it left behind must not be there. */
TEST(a_market_that_stands_still_after_a_spike_is_still)
{
    static const struct {
        enum kernel_id kernel;
        double wanted;
    } cases[] = {{KERNEL_VAR, 0},
                 {KERNEL_STDDEV, 0},
                 {KERNEL_LINEARREG_SLOPE, 0},
                 {KERNEL_LINEARREG_ANGLE, 0},
                 {KERNEL_CUTLER_RSI, NAN},
                 {KERNEL_WILLR, NAN},
                 {KERNEL_CCI, NAN},
                 {KERNEL_ULTOSC, NAN},
                 {KERNEL_MFI, NAN},
                 {KERNEL_CMF, 0},
                 {KERNEL_CORREL, NAN},
                 {KERNEL_BETA, NAN},
                 {KERNEL_LINEARREG, 0.1},
                 {KERNEL_TSF, 0.1},
                 {KERNEL_WMA, 0.1},
                 {KERNEL_TRANGE, 0}};

    for (size_t c = 0; c < ARRAY_COUNT(cases); c++) {
        one = (struct kernel_case){.kernel = cases[c].kernel, .bar_count = 200};
        for (int i = 0; i < kernel_rows[one.kernel].inputs; i++)
            for (size_t t = 0; t < one.bar_count; t++)
                for (size_t l = 0; l < LANES_MAX; l++)
                    one.in[i][t][l] = t < 50
                                          ? 0.1 + (double)(t * (l + 3) * (size_t)(i + 7) % 11) / 7
                                      : t == 50 ? 1e7
                                                : 0.1;
        for (size_t l = 0; l < LANES_MAX; l++) {
            one.parameter[0][l] = 14;
            one.parameter[1][l] = one.parameter[2][l] = 9;
        }
        harness_run(best(), &one, 64, &result);
        for (size_t t = 70; t < one.bar_count; t++)
            for (size_t l = 0; l < LANES_MAX; l++)
                CHECK_SAME_BITS(&result.out[0][t][l], &cases[c].wanted, 1);
    }
}
