/* Reading axes, and counting combinations. */
#include "market.h"

static struct arena arena;
static unsigned char memory[8 << 20];
static struct error err;

static const struct rule *rule(void)
{
    return rule_of(
        "param n = 14 in 2..5000\nparam x = 30.5 in 0..100 step 0.5\nparam p = 5% in 1%..20% step "
        "1%\n"
        "param free = 1.5\nparam pick = 3 in {1, 3, 9}\nparam cut = 2%\nrequire n < 4000\n"
        "buy when rsi(close, n) < x * free * pick\nsell when close < 1\nstop p\ntarget cut\n");
}

static void start(struct grid *grid)
{
    double values[RULE_PARAMETERS_MAX];
    const struct rule *made = rule();

    arena_init(&arena, memory, sizeof memory);
    usual_parameters(made, values);
    grid_init(grid, made, values);
}

static void check_axis(const char *source, int parameter, size_t count, const double *expected)
{
    struct grid grid;

    start(&grid);
    if (grid_add(&grid, &arena, text_of(source), &err) != STATUS_OK)
        print_error("%s\n", err.text);
    CHECK_INT(grid.axes[parameter].count, count);
    CHECK_INT(grid.combinations, count);
    CHECK_SAME_BITS(grid.axes[parameter].values, expected, count);
}

TEST(an_axis_is_read_in_all_its_shapes)
{
    check_axis("n=5..8", 0, 4, (double[]){5, 6, 7, 8});
    check_axis(" n = 5 .. 9 : 2 ", 0, 3, (double[]){5, 7, 9});
    check_axis("n=5..10:2", 0, 3, (double[]){5, 7, 9});
    check_axis("n={7}", 0, 1, (double[]){7});
    check_axis("n={9, 5,7 }", 0, 3, (double[]){9, 5, 7});
    check_axis("x=1..2", 1, 3, (double[]){1, 1.5, 2});
    check_axis("x=0..0.3:0.1", 1, 4, (double[]){0, 0.1, 0.2, 0.3});
    check_axis("p=5%..7%", 2, 3, (double[]){5.0 / 100, 6.0 / 100, 7.0 / 100});
    check_axis("p={5%,2.5%}", 2, 2, (double[]){5.0 / 100, 2.5 / 100});
    check_axis("free=-1..1:0.5", 3, 5, (double[]){-1, -0.5, 0, 0.5, 1});
    check_axis("pick={1,9}", 4, 2, (double[]){1, 9});
    check_axis("cut=1%..3%:1%", 5, 3, (double[]){1.0 / 100, 2.0 / 100, 3.0 / 100});
}

static void check_refused(const char *source, enum status status, const char *words)
{
    struct grid grid;

    start(&grid);
    CHECK_STATUS(grid_add(&grid, &arena, text_of(source), &err), status);
    CHECK_CONTAINS(err.text, words);
    CHECK_INT(grid.combinations, 1);
}

TEST(a_wrong_axis_is_refused_with_a_sentence)
{
    check_refused("n", STATUS_USAGE, "expected NAME=LOW..HIGH");
    check_refused("n=5", STATUS_USAGE, "expected n=LOW..HIGH");
    check_refused("n=5..x", STATUS_USAGE, "\"x\" is not a number");
    check_refused("n=..7", STATUS_USAGE, "not a number");
    check_refused("n=7..5", STATUS_USAGE, "begins above its end");
    check_refused("n=5..7:0", STATUS_USAGE, "step above 0");
    check_refused("n=5..7:-1", STATUS_USAGE, "step above 0");
    check_refused("n={}", STATUS_USAGE, "not a number");
    check_refused("n={5,5}", STATUS_USAGE, "is there twice");
    check_refused("n=5%..7%", STATUS_USAGE, "is no percent");
    check_refused("p=5..7", STATUS_USAGE, "is a percent");
    check_refused("free=1..2", STATUS_USAGE, "which step");
    check_refused("cut=1%..2%", STATUS_USAGE, "which step");
    check_refused("free=0..1e9:1", STATUS_LIMIT, "at most 65536");
    check_refused("nn=5..7", STATUS_USAGE, "nn");
    check_refused("n=nan..7", STATUS_USAGE, "not a number");
    CHECK_STATUS(
        grid_add(&(struct grid){.rule = rule(), .combinations = 1}, &arena, TEXT("n=1..7"), &err),
        STATUS_USAGE); /* below its range */
    CHECK_STATUS(grid_add(&(struct grid){.rule = rule(), .combinations = 1}, &arena,
                          TEXT("pick=1..3:1"), &err),
                 STATUS_USAGE); /* 2 is not in its list */
    CHECK_STATUS(
        grid_add(&(struct grid){.rule = rule(), .combinations = 1}, &arena, TEXT("n={5.5}"), &err),
        STATUS_USAGE); /* not whole */
}

TEST(two_axes_of_one_parameter_and_too_many_combinations_are_refused)
{
    struct grid grid;

    start(&grid);
    CHECK_OK(grid_add(&grid, &arena, TEXT("n=2..4999"), &err));
    CHECK_STATUS(grid_add(&grid, &arena, TEXT("n=5..6"), &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, "n is there twice");
    CHECK_OK(grid_add(&grid, &arena, TEXT("x=0..100"), &err));
    CHECK_INT(grid.combinations, 4998 * 201);
    CHECK_STATUS(grid_add(&grid, &arena, TEXT("free=0..1:0.001"), &err), STATUS_LIMIT);
    CHECK_CONTAINS(err.text, "100000000 combinations");
    CHECK_INT(grid.combinations, 4998 * 201);
}

TEST(the_rule_s_own_ranges_are_axes_where_they_can_be_walked)
{
    struct grid grid;

    start(&grid);
    CHECK_OK(grid_add(&grid, &arena, TEXT("n={20, 30}"), &err));
    CHECK_OK(grid_add_ranges(&grid, &arena, NULL, &err));
    CHECK_INT(grid.axes[0].count, 2);
    CHECK_INT(grid.axes[1].count, 201);
    CHECK_INT(grid.axes[2].count, 20);
    CHECK_INT(grid.axes[3].count, 0);
    CHECK_INT(grid.axes[4].count, 3);
    CHECK_INT(grid.axes[5].count, 0);
    CHECK_INT(grid.combinations, 2 * 201 * 20 * 3);
}

TEST(a_parameter_that_is_set_is_not_walked)
{
    bool set[RULE_PARAMETERS_MAX] = {[1] = true};
    struct grid grid;

    start(&grid);
    CHECK_OK(grid_add_ranges(&grid, &arena, set, &err));
    CHECK_INT(grid.axes[1].count, 0);
    CHECK_INT(grid.axes[2].count, 20);
}

TEST(a_message_holds_no_more_of_a_value_than_can_be_read)
{
    char source[400] = "n=";

    memset(source + 2, '1', 300);
    check_refused(source, STATUS_USAGE, "…");
    CHECK(strlen(err.text) < 200);
}

TEST(combinations_count_with_the_last_parameter_fastest)
{
    struct grid grid;
    double values[RULE_PARAMETERS_MAX];
    uint64_t number = 0;

    start(&grid);
    CHECK_OK(grid_add(&grid, &arena, TEXT("pick={9, 1}"),
                      &err)); /* the order of the flags is no matter */
    CHECK_OK(grid_add(&grid, &arena, TEXT("n=5..7"), &err));
    for (double n = 5; n <= 7; n++)
        for (int pick = 0; pick < 2; pick++, number++) {
            grid_values(&grid, number, values);
            CHECK(values[0] == n && values[4] == (pick ? 1 : 9));
            CHECK(values[1] == 30.5 && values[2] == 0.05 && values[3] == 1.5);
        }
    CHECK_INT(grid.combinations, number);
}
