/* Every sentence of doc/simulation.md, one test each. */
#include "small.h"

static void check_exit(int trade, size_t bar, double price, enum trade_reason reason)
{
    CHECK(small.trades > trade);
    CHECK_INT(small.trade[trade].exit_bar, (uint32_t)bar);
    CHECK_NEAR(small.trade[trade].exit_price, price, 1e-15);
    CHECK_INT(small.trade[trade].reason, reason);
}

static void check_entry(int trade, size_t bar, double price, int side)
{
    CHECK(small.trades > trade);
    CHECK_INT(small.trade[trade].entry_bar, (uint32_t)bar);
    CHECK_NEAR(small.trade[trade].entry_price, price, 1e-15);
    CHECK_INT(small.trade[trade].units > 0 ? 1 : -1, side);
}

/* ---- the order of events in a bar ------------------------------------------------------------ */

TEST(what_was_decided_at_a_close_fills_at_the_next_open)
{
    small_start(9);
    small_bar(3, 101, 102, 100, 101.5);
    small_bar(6, 103, 104, 102, 103.5);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 5);
    small_go();
    check_entry(0, 3, 101, 1);
    check_exit(0, 6, 103, REASON_SIGNAL);
}

TEST(a_signal_exit_at_the_open_comes_before_the_gap_check)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 3);
    small_bar(4, 90, 92, 88, 91);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small_go();
    check_exit(0, 4, 90, REASON_SIGNAL);
}

TEST(under_same_close_fills_a_signal_fills_at_its_own_close)
{
    small_start(9);
    small.options.fill = FILL_CLOSE;
    small_bar(2, 100, 103, 99, 102);
    small_bar(5, 100, 109, 99, 108);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 5);
    small_go();
    check_entry(0, 2, 102, 1);
    check_exit(0, 5, 108, REASON_SIGNAL);
    CHECK(small_equity(5) == small.result->metric[METRIC_FINAL_EQUITY]);
}

TEST(under_same_close_fills_stops_apply_from_the_next_bar)
{
    small_start(9);
    small.options.fill = FILL_CLOSE;
    small_bar(2, 100, 101, 80, 100);
    small_bar(4, 100, 101, 94, 100);
    small_signal(SIM_BUY, 2);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small_go();
    check_entry(0, 2, 100, 1);
    check_exit(0, 4, 95, REASON_STOP);
}

TEST(under_same_close_fills_the_entry_bars_high_does_not_raise_the_trail)
{
    small_start(9);
    small.options.fill = FILL_CLOSE;
    small_bar(2, 100, 200, 100, 100);
    small_bar(3, 100, 120, 100, 118);
    small_bar(4, 118, 119, 110, 110);
    small_signal(SIM_BUY, 2);
    small_level(SIM_TRAIL, SIM_LEVEL_PERCENT, 0.05);
    small_go();
    check_exit(0, 4, 114, REASON_TRAIL);
}

TEST(a_signal_on_the_last_bar_stays_pending_and_is_reported)
{
    char text[PENDING_TEXT_BYTES];

    small_start(9);
    small_signal(SIM_BUY, 8);
    small_go();
    CHECK_INT(small.trades, 0);
    CHECK_TEXT(pending_text(small.result->pending, text), "buy");

    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SHORT, 8);
    small_go();
    CHECK_TEXT(pending_text(small.result->pending, text), "sell+short");

    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_COVER, 8);
    small_go();
    CHECK_TEXT(pending_text(small.result->pending, text), "cover");

    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_BUY, 8);
    small_go();
    CHECK_TEXT(pending_text(small.result->pending, text), "cover+buy");
}

TEST(after_a_stop_inside_a_bar_the_rules_at_its_close_may_enter_again)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_BUY, 4);
    small_bar(4, 100, 101, 94, 100);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small_go();
    check_exit(0, 4, 95, REASON_STOP);
    check_entry(1, 5, 100, 1);

    small.options.fill = FILL_CLOSE;
    small_go();
    check_exit(0, 4, 95, REASON_STOP);
    check_entry(1, 4, 100, 1);
}

/* ---- orders ---------------------------------------------------------------------------------- */

TEST(long_with_buy_and_sell_both_true_leaves_and_does_not_enter_again)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_BUY, 4);
    small_signal(SIM_SELL, 4);
    small_go();
    CHECK_INT(small.trades, 1);
    check_exit(0, 5, 100, REASON_SIGNAL);
}

TEST(flat_with_buy_and_sell_both_true_enters)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 2);
    small_go();
    check_entry(0, 3, 100, 1);
}

TEST(flat_with_buy_and_short_both_true_enters_long)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SHORT, 2);
    small_go();
    check_entry(0, 3, 100, 1);
}

TEST(an_entry_signal_in_the_same_direction_does_nothing)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_BUY, 4);
    small_go();
    CHECK_INT(small.trades, 1);
    check_entry(0, 3, 100, 1);
    check_exit(0, 8, 100, REASON_END);
}

TEST(a_short_signal_turns_a_long_around_and_is_the_reason)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SHORT, 4);
    small_signal(SIM_SELL, 4);
    small_go();
    check_exit(0, 5, 100, REASON_REVERSE);
    check_entry(1, 5, 100, -1);
}

TEST(a_reverse_whose_entry_is_refused_is_an_exit_by_signal)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SHORT, 4);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small.level[SIM_STOP][4] = (double)NAN;
    small_go();
    CHECK_INT(small.trades, 1);
    check_exit(0, 5, 100, REASON_SIGNAL);
    CHECK_INT(small.result->refused, 1);
}

TEST(cover_leaves_a_short_and_buy_turns_it_around)
{
    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_COVER, 4);
    small_go();
    CHECK_INT(small.trades, 1);
    check_exit(0, 5, 100, REASON_SIGNAL);

    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_BUY, 4);
    small_go();
    check_exit(0, 5, 100, REASON_REVERSE);
    check_entry(1, 5, 100, 1);
}

TEST(a_distance_that_is_nan_or_not_positive_refuses_the_entry_and_is_counted)
{
    static const double bad[] = {NAN, 0, -1};

    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        small_start(9);
        small_signal(SIM_BUY, 2);
        small_level(SIM_TARGET, SIM_LEVEL_DISTANCE, 5);
        small.level[SIM_TARGET][2] = bad[i];
        small_go();
        CHECK_INT(small.trades, 0);
        CHECK_INT(small.result->refused, 1);
    }
}

TEST(levels_are_those_of_the_signal_bar_and_stay_fixed)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 2);
    small.level[SIM_STOP][2] = 5;
    small_bar(5, 100, 101, 96, 100);
    small_bar(7, 100, 101, 95, 100);
    small_go();
    check_exit(0, 7, 95, REASON_STOP);
}

TEST(a_percent_level_is_taken_from_the_fill_price_with_its_slippage)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small.options.slippage = 0.01;
    small_level(SIM_TARGET, SIM_LEVEL_PERCENT, 0.1);
    small_bar(5, 105, 112, 105, 111);
    small_go();
    check_entry(0, 3, 101, 1);
    check_exit(0, 5, 101 + 101 * 0.1, REASON_TARGET); /* and the target does not slip */
}

TEST(a_trail_by_distance_hangs_below_the_best_high)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_level(SIM_TRAIL, SIM_LEVEL_DISTANCE, 7);
    small_bar(4, 100, 110, 100, 109);
    small_bar(5, 108, 108, 104, 105);
    small_bar(6, 105, 106, 102, 103);
    small_go();
    check_exit(0, 6, 103, REASON_TRAIL);
}

TEST(the_trail_never_moves_back)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_level(SIM_TRAIL, SIM_LEVEL_PERCENT, 0.05);
    small_bar(4, 100, 110, 100, 108);
    small_bar(5, 107, 107.5, 105, 106); /* a lower high */
    small_bar(6, 106, 106, 104.5, 105);
    small_go();
    check_exit(0, 6, 104.5, REASON_TRAIL);
}

TEST(the_nearer_of_stop_and_trail_acts_and_an_equal_one_is_the_stop)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_level(SIM_TRAIL, SIM_LEVEL_DISTANCE, 5);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small_bar(4, 100, 100, 94, 96);
    small_bar(3, 100, 100, 100, 100);
    small_go();
    check_exit(0, 4, 95, REASON_STOP);

    small_bar(3, 100, 101, 100, 100);
    small_go();
    check_exit(0, 4, 96, REASON_TRAIL);
}

TEST(exit_after_n_bars_leaves_at_the_open_of_the_nth_bar_after_the_entry_bar)
{
    small_start(12);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_BUY, 5); /* on the bar before: does nothing */
    small_bar(6, 102, 103, 101, 102);
    small.plan.exit_after = true;
    small.exit_after = 3;
    small_go();
    CHECK_INT(small.trades, 1);
    check_exit(0, 6, 102, REASON_TIME);
}

TEST(exit_after_n_bars_leaves_at_the_close_under_same_close_fills)
{
    small_start(12);
    small.options.fill = FILL_CLOSE;
    small_signal(SIM_BUY, 2);
    small_bar(5, 100, 103, 99, 102);
    small.plan.exit_after = true;
    small.exit_after = 3;
    small_go();
    check_entry(0, 2, 100, 1);
    check_exit(0, 5, 102, REASON_TIME);
}

TEST(signal_comes_before_time_where_both_apply)
{
    small_start(12);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 5);
    small.plan.exit_after = true;
    small.exit_after = 3;
    small_go();
    check_exit(0, 6, 100, REASON_SIGNAL);
}

/* ---- volume ---------------------------------------------------------------------------------- */

static void dead(size_t begin, size_t end)
{
    for (size_t t = begin; t < end; t++)
        small.column[BAR_VOLUME][t] = 0;
}

TEST(without_require_volume_a_bar_of_volume_0_fills)
{
    small_start(20);
    small_signal(SIM_BUY, 2);
    dead(3, 4);
    small_go();
    check_entry(0, 3, 100, 1);
    CHECK_INT(small.result->unfilled, 0);
}

TEST(an_entry_waits_for_volume_five_bars_at_most_and_is_counted_once)
{
    small_start(20);
    small.options.require_volume = true;
    small_signal(SIM_BUY, 2);
    dead(3, 8); /* its own bar and four more */
    small_go();
    check_entry(0, 8, 100, 1);
    CHECK_INT(small.result->unfilled, 1);

    dead(3, 9); /* … and five more: the sixth try is too late */
    small_go();
    CHECK_INT(small.trades, 0);
    CHECK_INT(small.result->unfilled, 1);
}

TEST(an_exit_waits_for_volume_without_limit)
{
    small_start(60);
    small.options.require_volume = true;
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 5);
    dead(6, 40);
    small_bar(40, 98, 99, 97, 98);
    small_go();
    check_exit(0, 40, 98, REASON_SIGNAL);
    CHECK_INT(small.result->unfilled, 1);
}

TEST(a_waiting_entry_keeps_the_levels_of_its_signal_bar_and_yields_to_a_newer_one)
{
    small_start(20);
    small.options.require_volume = true;
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 1);
    small.level[SIM_STOP][2] = 5;
    small.level[SIM_STOP][4] = 10;
    small_signal(SIM_BUY, 2);
    dead(3, 6);
    small_bar(8, 100, 100, 80, 85);
    small_go();
    check_exit(0, 8, 95, REASON_STOP);

    small_signal(SIM_BUY, 4);
    small_go();
    check_exit(0, 8, 90, REASON_STOP);
}

TEST(the_exit_signal_of_its_direction_withdraws_a_waiting_entry)
{
    small_start(20);
    small.options.require_volume = true;
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 4);
    dead(3, 6);
    small_go();
    CHECK_INT(small.trades, 0);
}

TEST(levels_do_not_act_on_a_bar_without_volume)
{
    small_start(20);
    small.options.require_volume = true;
    small_signal(SIM_BUY, 2);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small_bar(4, 94, 94, 94, 94);
    small_bar(5, 93, 94, 92, 93);
    small.column[BAR_VOLUME][4] = 0;
    small_go();
    check_exit(0, 5, 93, REASON_STOP);
}

/* ---- money ----------------------------------------------------------------------------------- */

TEST(the_fee_is_a_share_of_the_value_on_both_sides)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 4);
    small.options.fee = 0.01;
    small_bar(5, 110, 110, 110, 110);
    small_go();
    double units = 1000 / 101.0;
    CHECK_NEAR(small.trade[0].fees, units * 1 + units * 1.1, 1e-12);
    CHECK_NEAR(small.trade[0].profit, units * 10 - small.trade[0].fees, 1e-12);
    CHECK_NEAR(small.result->metric[METRIC_FINAL_EQUITY], 1000 + small.trade[0].profit, 1e-12);
    CHECK_NEAR(small.result->metric[METRIC_FEES], small.trade[0].fees, 1e-12);
}

TEST(slippage_moves_every_fill_against_the_trader_but_targets)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small.options.slippage = 0.001;
    small_bar(5, 100, 101, 94, 100);
    small_go();
    check_entry(0, 3, 100.1, 1);
    check_exit(0, 5, (100.1 - 5) * (1 - 0.001), REASON_STOP);

    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_level(SIM_TARGET, SIM_LEVEL_DISTANCE, 5);
    small.options.slippage = 0.001;
    small_bar(5, 90, 91, 89, 90);
    small_go();
    check_entry(0, 3, 100 * (1 - 0.001), -1);
    check_exit(0, 5, 90, REASON_TARGET);
}

TEST(the_fee_mode_deduct_takes_the_fee_out_of_the_amount)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small.options.fee = 0.01;
    small.options.fee_mode = FEE_DEDUCT;
    small_go();
    CHECK_NEAR(small.trade[0].units, 9.9, 1e-15);
    CHECK_NEAR(small.trade[0].fees, 10, 1e-12);
    CHECK_NEAR(small_equity(8), 990, 1e-12);
}

TEST(sizes_are_a_share_of_equity_units_cash_or_risk)
{
    static const struct {
        enum sim_size_kind size;
        double value, units;
    } rows[] = {
        {SIM_SIZE_EQUITY, 0.25, 2.5 / 1.01},
        {SIM_SIZE_UNITS, 3, 3},
        {SIM_SIZE_CASH, 500, 5},
        {SIM_SIZE_RISK, 0.01, 2},        /* loses 10 at a stop 5 below */
        {SIM_SIZE_UNITS, 50, 10 / 1.01}, /* never more than all-in */
        {SIM_SIZE_CASH, 1000, 10 / 1.01},
        {SIM_SIZE_RISK, 0.9, 10 / 1.01},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        small_start(9);
        small_signal(SIM_BUY, 2);
        small.options.fee = 0.01;
        small.plan.size = rows[i].size;
        small_level(SIM_SIZE, SIM_LEVEL_PERCENT, rows[i].value);
        small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
        small_go();
        CHECK_NEAR(small.trade[0].units, rows[i].units, 1e-12);
    }
}

TEST(a_lot_rounds_units_down_to_a_multiple)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small.options.lot = 3;
    small_go();
    CHECK(small.trade[0].units == 9);

    small.options.lot = 0.1; /* 0.3 units are three lots, though 0.3 / 0.1 is a hair less than 3 */
    small.plan.size = SIM_SIZE_UNITS;
    small_level(SIM_SIZE, SIM_LEVEL_DISTANCE, 0.3);
    small_go();
    CHECK_NEAR(small.trade[0].units, 0.3, 1e-12);

    small.options.lot = 11; /* less than one lot: no trade */
    small.plan.level[SIM_SIZE] = SIM_LEVEL_NONE;
    small_go();
    CHECK_INT(small.trades, 0);
    CHECK_INT(small.result->refused, 1);
}

TEST(below_the_least_notional_there_is_no_trade_and_it_is_counted)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small.options.min_notional = 1000.01;
    small_go();
    CHECK_INT(small.trades, 0);
    CHECK_INT(small.result->refused, 1);

    small.options.min_notional = 1000;
    small_go();
    CHECK_INT(small.trades, 1);
}

TEST(the_least_fee_lowers_all_in_units_so_that_cash_never_goes_below_0)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small.options.fee = 0.001;
    small.options.fee_min = 50;
    small_go();
    CHECK_NEAR(small.trade[0].units, 9.5, 1e-12);
    CHECK_NEAR(small.trade[0].fees, 50, 1e-12);
    CHECK_NEAR(small_equity(5), 950, 1e-12);
}

TEST(a_short_has_negative_units_and_gains_from_a_falling_price)
{
    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_bar(5, 95, 95, 95, 95);
    small_bar(6, 90, 90, 90, 90);
    small_go();
    CHECK_NEAR(small.result->open_position, 0 - 10, 1e-15);
    CHECK_NEAR(small_equity(5), 1050, 1e-15);
    CHECK_NEAR(small_equity(6), 1100, 1e-15);
    check_exit(0, 8, 100, REASON_END);
}

TEST(borrowing_costs_a_share_a_year_of_the_value_at_each_close)
{
    small_start(9);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_COVER, 5);
    small.options.borrow = 0.252;
    small_go();
    CHECK_NEAR(small_equity(3), 999, 1e-12);
    CHECK_NEAR(small_equity(5), 997, 1e-12);
    CHECK_NEAR(small_equity(6), 997, 1e-12); /* covered at the open: no more */
    CHECK_NEAR(small.trade[0].profit, 0 - 3, 1e-12);
    CHECK_NEAR(small.trade[0].fees, 3, 1e-12);
}

TEST(equity_of_0_or_below_at_a_close_closes_the_position_and_ends_the_account)
{
    small_start(12);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_BUY, 7);
    small_bar(5, 150, 210, 150, 205);
    small_go();
    CHECK(small.result->ruined);
    CHECK_INT(small.trades, 1);
    check_exit(0, 5, 205, REASON_RUINED);
    CHECK_NEAR(small_equity(5), 0 - 50, 1e-12); /* hiding it would lie */
    CHECK_NEAR(small_equity(11), 0 - 50, 1e-12);
    CHECK(small.result->metric[METRIC_MAX_DRAWDOWN] > 100);
}

TEST(an_exit_that_takes_the_last_money_is_ruin_and_no_refused_entry)
{
    small_start(12);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_BUY, 5);
    small_bar(5, 150, 200, 150, 199.5); /* 4.95 is left, and the fee of the cover is 19.75 */
    small.options.fill = FILL_CLOSE;
    small.options.fee = 0.01;
    small_go();
    CHECK(small.result->ruined);
    CHECK_INT(small.trades, 1);
    CHECK_INT(small.result->refused, 0);
}

TEST(units_without_an_end_are_refused)
{
    small_start(12);
    small_signal(SIM_SHORT, 2);
    small.options.slippage = 1; /* a short then sells at a price of 0 */
    small_go();
    CHECK_INT(small.trades, 0);
    CHECK_INT(small.result->refused, 1);
    CHECK(small.result->metric[METRIC_FINAL_EQUITY] == small.options.cash);
}

TEST(equity_of_exactly_0_gives_no_nan_in_the_sums_of_returns)
{
    small_start(12);
    small_signal(SIM_SHORT, 2);
    small_bar(5, 150, 210, 150, 200);
    small_go();
    CHECK(small.result->ruined);
    CHECK(small.result->metric[METRIC_FINAL_EQUITY] == 0);
    CHECK(small.result->metric[METRIC_VOLATILITY] > 0);
}

TEST(what_is_open_at_the_end_is_marked_without_a_fee_and_is_no_closed_trade)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small.options.fee = 0.01;
    small_bar(8, 110, 112, 109, 111);
    small_go();
    CHECK_INT(small.trades, 1);
    check_exit(0, 8, 111, REASON_END);
    CHECK_NEAR(small.trade[0].fees, small.trade[0].units, 1e-12);
    CHECK(small.result->metric[METRIC_TRADES] == 0);
    CHECK(isnan(small.result->metric[METRIC_WIN_RATE]));
    CHECK_NEAR(small.result->metric[METRIC_FINAL_EQUITY], 111 * 1000 / 101.0, 1e-12);
}

TEST(excursions_use_the_entry_bar_under_next_open_and_the_exit_bar_up_to_the_fill)
{
    small_start(12);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SELL, 5);
    small_bar(3, 100, 107, 96, 100);
    small_bar(4, 100, 103, 98, 100);
    small_bar(6, 102, 150, 50, 100);
    small_go();
    CHECK_NEAR(small.trade[0].mae, 0 - 0.04, 1e-12);
    CHECK_NEAR(small.trade[0].mfe, 0.07, 1e-12);

    small.options.fill = FILL_CLOSE; /* enters at the close of 2, leaves at the close of 5 */
    small_bar(2, 100, 130, 70, 100);
    small_bar(5, 100, 108, 95, 100);
    small_go();
    CHECK_NEAR(small.trade[0].mae, 0 - 0.05, 1e-12);
    CHECK_NEAR(small.trade[0].mfe, 0.08, 1e-12);
}

TEST(a_shorts_excursions_are_mirrored)
{
    small_start(12);
    small_signal(SIM_SHORT, 2);
    small_signal(SIM_COVER, 5);
    small_bar(4, 100, 103, 92, 100);
    small_go();
    CHECK_NEAR(small.trade[0].mae, 0 - 0.03, 1e-12);
    CHECK_NEAR(small.trade[0].mfe, 0.08, 1e-12);
}

TEST(exposure_counts_entry_and_exit_bars_once_and_an_open_position_too)
{
    small_start(20);
    small_signal(SIM_BUY, 2);
    small_signal(SIM_SHORT, 5);
    small_signal(SIM_COVER, 8);
    small_signal(SIM_BUY, 16);
    small_go();
    CHECK_NEAR(small.result->metric[METRIC_EXPOSURE], 100.0 * (4 + 3 + 3) / 20, 1e-12);
}

/* ---- bars ------------------------------------------------------------------------------------ */

TEST(a_symbol_without_signals_keeps_its_cash)
{
    small_start(1);
    small_go();
    CHECK_INT(small.trades, 0);
    CHECK(small.result->metric[METRIC_FINAL_EQUITY] == 1000);
    CHECK(small.result->metric[METRIC_MAX_DRAWDOWN] == 0);
    CHECK(small.result->metric[METRIC_EXPOSURE] == 0);
    CHECK(isnan(small.result->metric[METRIC_SHARPE]));
    CHECK(isnan(small.result->metric[METRIC_CAGR]));
}

TEST(an_account_without_bars_has_no_metrics)
{
    small_start(0);
    small.count = 0;
    struct ledger_lane lanes[LANES_MAX] = {0};
    struct ledger_setup setup = {.kernels = kernels_select(NULL, LANES_NARROW),
                                 .options = &small.options,
                                 .plan = &small.plan,
                                 .lanes = lanes};
    struct ledger *ledger = mem_alloc_aligned(64, ledger_bytes());
    struct sim_result result;

    ledger_start(ledger, &setup);
    ledger_end(ledger, 0, &result);
    CHECK(isnan(result.metric[METRIC_FINAL_EQUITY]));
    mem_free(ledger);
}

/* ---- properties ------------------------------------------------------------------------------ */

static void falling_series(void)
{
    small_start(150);
    for (size_t t = 3; t < 150; t++) {
        double price = 100 * pow(0.99, (double)t - 3);
        small_bar(t, price, price, price * 0.99, price * 0.99);
    }
}

TEST(shorting_a_falling_series_makes_equity_rise_at_every_close)
{
    falling_series();
    small_signal(SIM_SHORT, 2);
    small_go();
    for (size_t t = 4; t < 150; t++)
        CHECK(small_equity(t) > small_equity(t - 1));
}

TEST(slippage_and_fees_lower_final_equity)
{
    double before = 0;

    for (int i = 0; i < 4; i++) {
        falling_series();
        for (size_t t = 5; t < 140; t += 10) {
            small_signal(SIM_SHORT, t);
            small_signal(SIM_COVER, t + 5);
        }
        small.options.slippage = 0.001 * (i & 1);
        small.options.fee = 0.001 * (i >> 1);
        small_go();
        CHECK(i == 0 || small.result->metric[METRIC_FINAL_EQUITY] < before);
        if (i == 0)
            before = small.result->metric[METRIC_FINAL_EQUITY];
    }
}

TEST(profits_add_up_to_the_change_of_equity)
{
    double sum = 0;

    falling_series();
    small.options.fee = 0.002;
    small.options.slippage = 0.001;
    small.options.borrow = 0.1;
    small_level(SIM_STOP, SIM_LEVEL_PERCENT, 0.03);
    for (size_t t = 5; t < 140; t += 7)
        small_signal(t % 2 ? SIM_SHORT : SIM_BUY, t);
    small_go();
    for (int i = 0; i < small.trades; i++)
        sum += small.trade[i].profit;
    CHECK_NEAR(small.result->metric[METRIC_FINAL_EQUITY], 1000 + sum, 1e-12);
    CHECK(small.trades > 10);
}
