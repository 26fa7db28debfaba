/* Every kernel of the language against its reference, on every build that runs here, to the bit. */
#include "test.h"

#include "reference.h"

enum { BUILDS_MAX = 8 };

static const size_t blocks[] = {1, 2, 7, 63, 64, 0};

static struct kernel_case one;
static struct kernel_result result;
static struct reference expected[LANES_MAX];

/* All builds and widths, best first. */
static size_t builds_that_run(const struct kernels *builds[BUILDS_MAX])
{
    const char *names[BUILDS_MAX];
    size_t count = kernels_list(names, BUILDS_MAX / 2);

    for (size_t i = 0; i < count; i++) {
        builds[2 * i] = kernels_select(names[i], LANES_WIDE);
        builds[2 * i + 1] = kernels_select(names[i], LANES_NARROW);
    }
    return 2 * count;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void report(const struct kernels *build, size_t block, size_t bar, size_t lane, double got,
                   double wanted)
{
    print_error("%s, build %s, %d lanes, blocks of %zu: bar %zu of lane %zu (parameters %g %g) is "
                "%.17g, not %.17g\n",
                kernel_rows[one.kernel].name, build->isa, build->lanes, block, bar, lane,
                one.parameter[0][lane], one.parameter[1][lane], got, wanted);
    _fail(__FILE__, __LINE__);
}

static void check_lane(const struct kernels *build, size_t block, size_t lane)
{
    const struct kernel_row *row = &kernel_rows[one.kernel];

    for (size_t bar = 0; bar < one.bar_count; bar++) {
        for (int k = 0; k < row->outputs; k++)
            if (!same(result.out[k][bar][lane], expected[lane].out[k][bar]))
                report(build, block, bar, lane, result.out[k][bar][lane],
                       expected[lane].out[k][bar]);
        if (result.condition[bar][lane] != expected[lane].condition[bar])
            report(build, block, bar, lane, result.condition[bar][lane],
                   expected[lane].condition[bar]);
    }
}

/* The case as it stands, everywhere. */
static void check_case(void)
{
    const struct kernels *builds[BUILDS_MAX];
    size_t build_count = builds_that_run(builds);

    for (size_t lane = 0; lane < LANES_MAX; lane++)
        if (!reference_run(&one, lane, &expected[lane]))
            return;
    for (size_t i = 0; i < build_count; i++)
        for (size_t b = 0; b < ARRAY_COUNT(blocks); b++) {
            harness_run(builds[i], &one, blocks[b], &result);
            CHECK(!result.stray);
            for (size_t lane = 0; lane < LANES_MAX; lane++)
                check_lane(builds[i], blocks[b], lane);
        }
}

/* Smallest period that a kernel knows. */
static int least(enum kernel_id kernel)
{
    return kernel == KERNEL_LAG || kernel == KERNEL_LAG_CONDITION || kernel == KERNEL_VALUEWHEN ||
                   kernel == KERNEL_PIVOTHIGH || kernel == KERNEL_PIVOTLOW
               ? 0
               : 1;
}

static void set_parameters(uint64_t seed, int most, bool per_lane)
{
    size_t range = (size_t)(most - least(one.kernel) + 1);

    for (int k = 0; k < KERNEL_PARAMETERS_MAX; k++) {
        double shared = least(one.kernel) + (double)harness_below(&seed, range);
        for (size_t l = 0; l < LANES_MAX; l++)
            one.parameter[k][l] = per_lane ? least(one.kernel) + (double)harness_below(&seed, range)
                                           : shared;
    }
}

static void check_all_kernels(enum harness_data data, int period_most, bool per_lane)
{
    for (enum kernel_id kernel = 0; kernel < KERNELS; kernel++) {
        one = (struct kernel_case){.kernel = kernel, .bar_count = 330};
        harness_fill(&one, data, 1000 * data + kernel);
        set_parameters(kernel + (uint64_t)period_most, period_most, per_lane);
        check_case();
    }
}

TEST(kernels_agree_with_their_references_on_prices)
{
    check_all_kernels(DATA_PRICES, 1, false);
    check_all_kernels(DATA_PRICES, 12, false);
    check_all_kernels(DATA_PRICES, 100, false);
}

TEST(lanes_may_begin_at_different_bars)
{
    check_all_kernels(DATA_LEADING, 30, false);
    check_all_kernels(DATA_LEADING, 70, true);
}

TEST(a_bar_without_a_number_is_passed_over)
{
    check_all_kernels(DATA_HOLES, 9, false);
    check_all_kernels(DATA_HOLES, 40, true);
}

TEST(a_lane_may_be_absent_for_long)
{
    check_all_kernels(DATA_GAPS, 9, false);
    check_all_kernels(DATA_GAPS, 80, true);
}

TEST(each_lane_may_have_a_period_of_its_own)
{
    check_all_kernels(DATA_PRICES, 20, true);
    check_all_kernels(DATA_PRICES, 200, true);
}

TEST(ties_zeros_and_standstill_are_pinned)
{
    check_all_kernels(DATA_STEPS, 3, false);
    check_all_kernels(DATA_STEPS, 25, false);
    check_all_kernels(DATA_STEPS, 25, true);
}

TEST(infinities_and_tiny_numbers_are_pinned)
{
    for (enum kernel_id kernel = 0; kernel <= KERNEL_IF; kernel++) {
        one = (struct kernel_case){.kernel = kernel, .bar_count = 330};
        harness_fill(&one, DATA_EXTREME, kernel);
        check_case();
    }
    for (enum kernel_id kernel = 0; kernel < KERNELS; kernel++)
        if (reference_kind(kernel) != REFERENCE_NUMBER) {
            one = (struct kernel_case){.kernel = kernel, .bar_count = 330};
            harness_fill(&one, DATA_EXTREME, kernel);
            set_parameters(kernel, 10, true);
            check_case();
        }
}

TEST(an_operand_may_be_a_row_of_constants)
{
    for (enum kernel_id kernel = 0; kernel < KERNELS; kernel++)
        for (int i = 0; i < kernel_rows[kernel].inputs; i++)
            for (enum harness_data data = 0; data < DATA_EXTREME; data++) {
                one = (struct kernel_case){.kernel = kernel, .bar_count = 150};
                harness_fill(&one, data, kernel + 77 * (uint64_t)i);
                set_parameters(kernel, 10, true);
                one.constant[i] = true;
                if (kernel != KERNEL_ATR)
                    check_case();
            }
}

TEST(whole_numbers_around_two_to_the_fifty_two_are_rounded_as_by_the_library)
{
    const enum kernel_id kernels[] = {KERNEL_FLOOR, KERNEL_CEIL, KERNEL_ROUND};
    uint64_t seed = 5;

    for (size_t k = 0; k < ARRAY_COUNT(kernels); k++) {
        one = (struct kernel_case){.kernel = kernels[k], .bar_count = CASE_BARS_MAX};
        for (size_t t = 0; t < one.bar_count; t++)
            for (size_t l = 0; l < LANES_MAX; l++) {
                double x = ldexp((double)(harness_next(&seed) >> 11),
                                 (int)harness_below(&seed, 60) - 58);
                one.in[0][t][l] = harness_next(&seed) & 1 ? -x : x;
            }
        check_case();
    }
}

TEST(a_transposed_block_is_the_columns_turned)
{
    const struct kernels *builds[BUILDS_MAX];
    size_t build_count = builds_that_run(builds);
    static double column[LANES_MAX][200];
    const double *from[LANES_MAX];
    _Alignas(64) double out[BLOCK_BARS * LANES_MAX + 1];

    for (size_t l = 0; l < LANES_MAX; l++) {
        from[l] = column[l];
        for (size_t t = 0; t < 200; t++)
            column[l][t] = (double)(1000 * l + t);
    }
    for (size_t i = 0; i < build_count; i++)
        for (size_t bar = 0; bar < 9; bar++)
            for (size_t count = 1; count <= BLOCK_BARS; count++) {
                size_t lanes = (size_t)builds[i]->lanes;
                out[count * lanes] = -1;
                builds[i]->transpose(out, from, bar, count);
                CHECK(out[count * lanes] == -1);
                for (size_t k = 0; k < count * lanes; k++)
                    CHECK(out[k] == (double)(1000 * (k % lanes) + bar + k / lanes));
            }
}

TEST(builds_are_chosen_by_name_and_the_best_without)
{
    const char *names[BUILDS_MAX];
    size_t count = kernels_list(names, BUILDS_MAX);

    CHECK(count >= 1);
    CHECK_TEXT(names[count - 1], "base");
    CHECK(kernels_select(NULL, LANES_WIDE) == kernels_select(names[0], LANES_WIDE));
    for (size_t i = 0; i < count; i++) {
        CHECK_TEXT(kernels_select(names[i], LANES_WIDE)->isa, names[i]);
        CHECK_INT(kernels_select(names[i], LANES_WIDE)->lanes, LANES_WIDE);
        CHECK_INT(kernels_select(names[i], LANES_NARROW)->lanes, LANES_NARROW);
    }
    CHECK(kernels_select("v9", LANES_WIDE) == NULL);
    CHECK(kernels_select(NULL, 5) == NULL);
}
