/* A batch gives the same bits however it is cut, and a symbol's result depends on nothing but its
 * bars. */
#include "market.h"

#include <stdatomic.h>

enum { EVERYTHING = WANT_ALL_METRICS | WANT_QUANTILES | WANT_TRADES | WANT_EQUITY };

static void run(struct batch *batch, const struct rule *rule, const struct market *market,
                struct batch_result *results)
{
    double parameters[RULE_PARAMETERS_MAX];
    struct error err;

    usual_parameters(rule, parameters);
    batch->rule = rule;
    batch->parameters = parameters;
    if (!batch->symbols) {
        batch->symbols = market->symbols;
        batch->symbol_count = market->count;
    }
    batch->jobs = MAX(batch->jobs, 1);
    batch->env = env_posix();
    CHECK_OK(batch_run(batch, results, &err));
    batch->symbols = NULL;
}

static void check_market(const struct market *market, const struct batch_result *a,
                         const struct batch_result *b)
{
    for (size_t s = 0; s < market->count; s++)
        check_results(&a[s], &b[s], market->symbols[s].end - market->symbols[s].begin);
}

static const size_t mixed_lengths[] = {300, 1,   2,   257, 15,  14,  13,  64,  65,  63,  128, 129,
                                       300, 300, 200, 40,  7,   300, 299, 90,  300, 300, 31,  300,
                                       200, 50,  127, 300, 300, 10,  300, 222, 33,  100};

/* `begin` a third, a half or nothing of each symbol's bars. */
static void begin_anywhere(struct market *market)
{
    for (size_t s = 0; s < market->count; s++)
        market->symbols[s].begin = s % 4 == 3 ? 0 : market->symbols[s].end / (2 + s % 4);
}

static void compare_all_ways(const struct market *market, const struct rule *rule,
                             const struct sim_options *options)
{
    static const size_t blocks[] = {1, 2, 7, 64, 1000};
    static struct batch_result expected[MARKET_SYMBOLS_MAX], results[MARKET_SYMBOLS_MAX];
    const char *isas[8];
    size_t isa_count = kernels_list(isas, 8), trades = 0;
    struct batch plain = {.options = *options,
                          .want = EVERYTHING,
                          .isa = "base",
                          .lanes = LANES_NARROW,
                          .block_bars = 64};

    run(&plain, rule, market, expected);
    for (size_t s = 0; s < market->count; s++)
        trades += expected[s].trade_count;
    CHECK(trades > market->count);
    for (size_t i = 0; i < isa_count; i++)
        for (size_t b = 0; b < ARRAY_COUNT(blocks); b++)
            for (int lanes = 0; lanes <= LANES_WIDE; lanes += lanes ? 12 : 4)
                for (int jobs = 1; jobs <= 3; jobs += 2) {
                    struct batch batch = {.options = *options,
                                          .want = EVERYTHING,
                                          .isa = isas[i],
                                          .lanes = lanes,
                                          .jobs = jobs,
                                          .block_bars = blocks[b]};
                    if (jobs == 3 && b % 2)
                        continue;
                    run(&batch, rule, market, results);
                    check_market(market, expected, results);
                    batch_results_deinit(results, market->count);
                }
    batch_results_deinit(expected, market->count);
}

TEST(a_batch_has_the_same_bits_for_all_lanes_threads_blocks_and_builds)
{
    struct market market;

    market_init(&market, ARRAY_COUNT(mixed_lengths), mixed_lengths, 1);
    for (size_t r = 0; r < ARRAY_COUNT(test_rules); r++)
        compare_all_ways(&market, rule_of(test_rules[r]), r % 2 ? &open_fills : &close_fills);
    market_deinit(&market);
}

TEST(the_same_holds_where_accounts_begin_within_the_bars)
{
    struct market market;

    market_init(&market, ARRAY_COUNT(mixed_lengths), mixed_lengths, 2);
    begin_anywhere(&market);
    for (size_t r = 0; r < ARRAY_COUNT(test_rules); r++)
        compare_all_ways(&market, rule_of(test_rules[r]), r % 2 ? &close_fills : &open_fills);
    market_deinit(&market);
}

TEST(a_symbol_has_the_same_result_alone_and_in_company_of_1_to_17_in_any_order)
{
    static struct batch_result alone[17], together[17];
    struct batch_symbol shuffled[17];
    struct market market;
    struct random random;

    market_init(&market, 17, mixed_lengths, 3);
    begin_anywhere(&market);
    random_init(&random, 1, 1);
    for (size_t r = 0; r < ARRAY_COUNT(test_rules); r++) {
        const struct rule *rule = rule_of(test_rules[r]);
        struct batch batch = {.options = open_fills, .want = EVERYTHING};

        for (size_t s = 0; s < market.count; s++) {
            batch.symbols = &market.symbols[s];
            batch.symbol_count = 1;
            run(&batch, rule, &market, &alone[s]);
        }
        for (size_t count = 1; count <= market.count; count++) {
            size_t from[17];

            for (size_t s = 0; s < count; s++)
                from[s] = s;
            for (size_t s = count; s-- > 1;) {
                size_t other = random_below(&random, s + 1), kept = from[s];
                from[s] = from[other];
                from[other] = kept;
            }
            for (size_t s = 0; s < count; s++)
                shuffled[s] = market.symbols[from[s]];
            batch.symbols = shuffled;
            batch.symbol_count = count;
            run(&batch, rule, &market, together);
            for (size_t s = 0; s < count; s++)
                check_results(&alone[from[s]], &together[s], shuffled[s].end - shuffled[s].begin);
            batch_results_deinit(together, count);
        }
        batch_results_deinit(alone, market.count);
    }
    market_deinit(&market);
}

/* Signals from a run over all bars, one lane and one bar at a time; then an account that is shown
 * them from `begin` on. */
static void masked_run(const struct rule *rule, const struct batch_symbol *symbol,
                       struct sim_result *result)
{
    static unsigned char memory[8 << 20];
    static double zero[RULE_PARAMETERS_MAX][LANES_MAX];
    const struct kernels *kernels = kernels_select("base", LANES_NARROW);
    struct program_setup setup = {.kernels = kernels, .parameters = zero};
    struct ledger_lane lanes[LANES_MAX] = {0};
    struct sim_plan plan = {.exit_after = rule->exit_after != NODE_NONE};
    struct program *program;
    struct arena arena;
    struct error err;

    arena_init(&arena, memory, sizeof memory);
    CHECK_OK(program_new(&program, &arena, rule, &setup, &err));
    struct ledger *ledger = arena_alloc(&arena, ledger_bytes());
    for (int s = 0; s < SIGNALS; s++)
        plan.has[s] = program->signal[s] != NULL;
    for (int l = 0; l < LEVELS; l++)
        plan.level[l] = (enum sim_level_kind)rule->level[l].kind;
    lanes[0] = (struct ledger_lane){bars_slice(&symbol->bars, symbol->begin, symbol->end),
                                    program->exit_after[0]};
    struct ledger_setup ledger_setup = {
        .kernels = kernels, .options = &open_fills, .plan = &plan, .lanes = lanes};
    ledger_start(ledger, &ledger_setup);
    program_start(program);
    for (size_t bar = 0; bar < symbol->end; bar++) {
        double price[BAR_COLUMNS][LANES_NARROW];
        struct ledger_block block = {.bar_count = 1};

        for (int c = 0; c < BAR_COLUMNS; c++)
            for (int l = 0; l < LANES_NARROW; l++)
                price[c][l] = symbol->bars.column[c][bar];
        for (int c = 0; c < RULE_COLUMNS; c++)
            for (int l = 0; l < LANES_NARROW && program->column[c]; l++)
                program->column[c][l] = c < BAR_COLUMNS ? price[c][l]
                                        : c == COLUMN_BAR_INDEX
                                            ? (double)bar
                                            : rule_column_of_time((enum rule_column)c,
                                                                  symbol->bars.time[bar], 0);
        program_block(program, 1);
        for (int c = 0; c < BAR_COLUMNS; c++)
            block.price[c] = price[c];
        for (int s = 0; s < SIGNALS; s++)
            block.signal[s][0] = program->signal[s] ? program->signal[s][0] : 0;
        for (int l = 0; l < LEVELS; l++)
            block.level[l] = program->level[l];
        if (bar >= symbol->begin)
            ledger_run(ledger, &block);
    }
    ledger_end(ledger, 0, result);
}

TEST(an_account_that_begins_late_is_a_run_over_all_bars_with_signals_masked_until_then)
{
    static const char *const rules[] = {
        "r = rsi(close, 6)\nbuy when crossunder(r, 45)\nsell when crossover(r, 55)\n",
        "buy when ema(close, 3) > ema(close, 30)\nsell when close < sma(close, 4)\nstop 2 * "
        "atr(7)\ntarget 15%\n",
        "x = nz(close - close[3], 0)\nbuy when not (ema(x, 4) < 0) and count(close > open, 6) > 3 "
        "and hour >= 3\n"
        "sell when bar_index / 7 == round(bar_index / 7)\n",
    };
    static struct batch_result results[MARKET_SYMBOLS_MAX];
    struct market market;

    market_init(&market, ARRAY_COUNT(mixed_lengths), mixed_lengths, 4);
    begin_anywhere(&market);
    for (size_t r = 0; r < ARRAY_COUNT(rules); r++) {
        const struct rule *rule = rule_of(rules[r]);
        struct batch batch = {.options = open_fills};

        run(&batch, rule, &market, results);
        for (size_t s = 0; s < market.count; s++) {
            struct sim_result expected;

            CHECK_INT(results[s].status, STATUS_OK);
            masked_run(rule, &market.symbols[s], &expected);
            check_sims(&results[s].sim, &expected);
        }
        batch_results_deinit(results, market.count);
    }
    market_deinit(&market);
}

TEST(what_was_traded_until_a_bar_does_not_depend_on_the_bars_behind_it)
{
    static const size_t lengths[] = {260, 131, 64, 65, 30};
    static struct batch_result whole[5], part[5];
    struct market market;

    market_init(&market, 5, lengths, 5);
    for (size_t r = 0; r < ARRAY_COUNT(test_rules); r++) {
        const struct rule *rule = rule_of(test_rules[r]);
        struct batch batch = {.options = open_fills, .want = WANT_TRADES | WANT_EQUITY};

        run(&batch, rule, &market, whole);
        for (size_t cut = 1; cut < 260; cut++) {
            for (size_t s = 0; s < market.count; s++)
                market.symbols[s].end = MIN(cut, lengths[s]);
            run(&batch, rule, &market, part);
            for (size_t s = 0; s < market.count; s++) {
                size_t closed = 0;

                CHECK_SAME_BITS(part[s].equity, whole[s].equity, market.symbols[s].end);
                while (closed < part[s].trade_count && part[s].trades[closed].reason != REASON_END)
                    closed++;
                check_trades(part[s].trades, whole[s].trades, closed);
            }
            batch_results_deinit(part, market.count);
        }
        batch_results_deinit(whole, market.count);
        for (size_t s = 0; s < market.count; s++)
            market.symbols[s].end = lengths[s];
    }
    market_deinit(&market);
}

TEST(bars_cut_off_in_front_are_another_run_than_an_account_that_begins_late)
{
    static const size_t lengths[] = {200};
    static struct batch_result warm, cold, copied;
    struct market market, copy;
    const struct rule *rule = rule_of(
        "buy when close > ema(close, 90)\nsell when close < ema(close, 90)\n");
    struct batch batch = {.options = close_fills, .want = EVERYTHING};

    market_init(&market, 1, lengths, 6);
    copy = market;
    market.symbols[0].begin = 100;
    run(&batch, rule, &market, &warm);
    copy.symbols[0].bars = bars_slice(&market.symbols[0].bars, 100, 200);
    copy.symbols[0].end = 100;
    run(&batch, rule, &copy, &cold);
    double *close = mem_alloc(100 * sizeof *close);
    memcpy(close, market.column[0][BAR_CLOSE] + 100, 100 * sizeof *close);
    copy.symbols[0].bars.column[BAR_CLOSE] = close;
    run(&batch, rule, &copy, &copied);
    check_results(&cold, &copied, 100);
    CHECK(warm.trade_count != cold.trade_count ||
          memcmp(warm.equity, cold.equity, 100 * sizeof(double)));
    batch_results_deinit(&warm, 1);
    batch_results_deinit(&cold, 1);
    batch_results_deinit(&copied, 1);
    mem_free(close);
    market_deinit(&market);
}

TEST(a_symbol_without_bars_fails_alone_and_one_with_few_has_a_note)
{
    static const size_t lengths[] = {100, 0, 14, 15, 1, 50};
    static struct batch_result results[6];
    const struct rule *rule = rule_of(
        "buy when rsi(close, 14) < 60\nsell when rsi(close, 14) > 70\n");
    struct batch batch = {.options = close_fills, .want = EVERYTHING};
    struct market market;

    market_init(&market, 6, lengths, 7);
    market.symbols[5].begin = 50;
    run(&batch, rule, &market, results);
    CHECK_INT(results[0].status, STATUS_OK);
    CHECK(results[0].sim.metric[METRIC_TRADES] > 0 && !results[0].note);
    CHECK_INT(results[1].status, STATUS_MISSING);
    CHECK_CONTAINS(results[1].problem, "no bars");
    CHECK_INT(results[2].status, STATUS_OK);
    CHECK_CONTAINS(results[2].note, "no more bars (14) than the look-back (14)");
    CHECK(results[2].sim.metric[METRIC_TRADES] == 0 && results[2].trade_count == 0);
    CHECK(results[2].sim.metric[METRIC_FINAL_EQUITY] == 10000);
    CHECK(!results[3].note);
    CHECK_INT(results[4].status, STATUS_OK);
    CHECK_CONTAINS(results[4].note, "look-back");
    CHECK_INT(results[5].status, STATUS_MISSING);
    CHECK_CONTAINS(results[5].problem, "in the time asked for");
    batch_results_deinit(results, 6);
    market_deinit(&market);
}

TEST(parameters_that_break_a_require_are_refused)
{
    static const size_t lengths[] = {100};
    static struct batch_result result;
    const struct rule *rule = rule_of(
        "param a = 5\nparam b = 9\nrequire a < b\nbuy when sma(close, a) > sma(close, b)\n"
        "sell when close < 1\n");
    double parameters[] = {9, 5};
    struct market market;
    struct error err;

    market_init(&market, 1, lengths, 8);
    struct batch batch = {.rule = rule,
                          .parameters = parameters,
                          .options = close_fills,
                          .jobs = 1,
                          .symbols = market.symbols,
                          .symbol_count = 1,
                          .env = env_posix()};
    CHECK_STATUS(batch_run(&batch, &result, &err), STATUS_USAGE);
    batch_results_deinit(&result, 1);
    batch.isa = "sse9";
    parameters[0] = 3;
    CHECK_STATUS(batch_run(&batch, &result, &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, "sse9");
    batch_results_deinit(&result, 1);
    market_deinit(&market);
}

static void stop_after_first(void *context, size_t done)
{
    (void)done;
    atomic_store((atomic_bool *)context, true);
}

TEST(a_cancelled_batch_keeps_what_is_whole)
{
    static struct batch_result results[MARKET_SYMBOLS_MAX];
    const struct rule *rule = rule_of(test_rules[0]);
    double parameters[RULE_PARAMETERS_MAX];
    struct market market;
    struct error err;

    market_init(&market, ARRAY_COUNT(mixed_lengths), mixed_lengths, 9);
    usual_parameters(rule, parameters);
    for (int jobs = 1; jobs <= 2; jobs++) {
        atomic_bool stop = false;
        struct env env = {.calls = env_posix()->calls, .stop = &stop};
        size_t done = 0, left = 0;
        struct batch batch = {.rule = rule,
                              .parameters = parameters,
                              .options = close_fills,
                              .jobs = jobs,
                              .symbols = market.symbols,
                              .symbol_count = market.count,
                              .env = &env,
                              .want = EVERYTHING,
                              .progress = stop_after_first,
                              .progress_context = &stop};

        CHECK_STATUS(batch_run(&batch, results, &err), STATUS_INTERRUPTED);
        CHECK_CONTAINS(err.text, "interrupted after ");
        for (size_t s = 0; s < market.count; s++) {
            done += results[s].status == STATUS_OK;
            left += results[s].status == STATUS_INTERRUPTED;
            CHECK(results[s].status == STATUS_OK || !results[s].trades);
        }
        CHECK(done > 0 && left > 0 && done + left == market.count);
        batch_results_deinit(results, market.count);
    }
    market_deinit(&market);
}

TEST(a_runner_gives_every_batch_what_a_fresh_one_gives)
{
    static struct batch_result expected[MARKET_SYMBOLS_MAX], results[MARKET_SYMBOLS_MAX];
    struct batch_runner *runner;
    struct market market;
    struct error err;
    double parameters[RULE_PARAMETERS_MAX];

    market_init(&market, ARRAY_COUNT(mixed_lengths), mixed_lengths, 10);
    CHECK_OK(batch_runner_new(&runner, env_posix(), 2, &err));
    for (int round = 0; round < 3; round++)
        for (size_t r = 0; r < ARRAY_COUNT(test_rules); r++) {
            struct batch batch = {.options = open_fills, .want = round ? EVERYTHING : WANT_RANKING};

            run(&batch, rule_of(test_rules[r]), &market, expected);
            usual_parameters(batch.rule, parameters);
            batch.parameters = parameters;
            batch.symbols = market.symbols;
            CHECK_OK(batch_runner_run(runner, &batch, results, &err));
            check_market(&market, expected, results);
            batch_results_deinit(results, market.count);
            batch_results_deinit(expected, market.count);
        }
    batch_runner_free(runner);
    market_deinit(&market);
}

TEST(a_batch_without_memory_says_so_wherever_it_runs_out)
{
    static struct batch_result results[MARKET_SYMBOLS_MAX];
    const struct rule *rule = rule_of(test_rules[1]);
    double parameters[RULE_PARAMETERS_MAX];
    struct market market;
    struct error err;
    enum status status = STATUS_MEMORY;

    market_init(&market, 20, mixed_lengths, 11);
    usual_parameters(rule, parameters);
    for (long nth = 1; status != STATUS_OK; nth++) {
        struct batch batch = {.rule = rule,
                              .parameters = parameters,
                              .options = open_fills,
                              .jobs = 1,
                              .symbols = market.symbols,
                              .symbol_count = market.count,
                              .env = env_posix(),
                              .want = EVERYTHING};
        bool failed = false;

        CHECK(nth < 2000);
        memset(results, 0, sizeof results);
        mem_fail_at(nth, 0);
        status = batch_run(&batch, results, &err);
        mem_fail_at(0, 0);
        for (size_t s = 0; s < market.count; s++)
            failed |= results[s].status == STATUS_MEMORY;
        CHECK(status == STATUS_OK || status == STATUS_MEMORY);
        batch_results_deinit(results, market.count);
        if (status == STATUS_OK && failed)
            status = STATUS_MEMORY; /* one symbol's trades */
    }
    market_deinit(&market);
}

TEST(a_batch_of_nothing_is_done_at_once)
{
    const struct rule *rule = rule_of(test_rules[0]);
    double parameters[RULE_PARAMETERS_MAX];
    struct batch_result none[1];
    struct error err;

    usual_parameters(rule, parameters);
    struct batch batch = {.rule = rule,
                          .parameters = parameters,
                          .options = close_fills,
                          .jobs = 2,
                          .env = env_posix()};
    CHECK_OK(batch_run(&batch, none, &err));
}
