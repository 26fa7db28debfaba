/* The built-in rules, as anybody would write them. */
#include "rule/rule.h"

const struct rule_builtin rule_builtins[] = {
    {"rsi", "buy oversold, sell overbought",
     "# rsi.rule: buy oversold, sell overbought\n"
     "param period     = 14 in 2..50\n"
     "param oversold   = 30 in 10..45 step 5\n"
     "param overbought = 70 in 55..90 step 5\n"
     "\n"
     "r = rsi(close, period)\n"
     "buy  when crossunder(r, oversold)\n"
     "sell when crossover(r, overbought)\n"},
    {"rsi_original", "the same with plain means instead of Wilder's",
     "# rsi_original.rule: as rsi, with plain means of gains and losses instead of Wilder's\n"
     "param period     = 14 in 2..50\n"
     "param oversold   = 30 in 10..45 step 5\n"
     "param overbought = 70 in 55..90 step 5\n"
     "\n"
     "r = cutler_rsi(close, period)\n"
     "buy  when crossunder(r, oversold)\n"
     "sell when crossover(r, overbought)\n"},
    {"golden_cross", "buy when the fast average crosses above the slow one",
     "# golden_cross.rule: buy when the fast average crosses above the slow one\n"
     "param fast = 50  in 10..100 step 10\n"
     "param slow = 200 in 100..300 step 20\n"
     "require fast < slow\n"
     "\n"
     "quick = sma(close, fast)\n"
     "calm  = sma(close, slow)\n"
     "buy  when crossover(quick, calm)\n"
     "sell when crossunder(quick, calm)\n"},
    {"macd", "buy when MACD crosses above its signal line",
     "# macd.rule: buy when MACD crosses above its signal line\n"
     "param fast   = 12 in 4..20 step 2\n"
     "param slow   = 26 in 16..50 step 2\n"
     "param smooth = 9  in 3..15 step 2\n"
     "require fast < slow\n"
     "\n"
     "line, signal, _ = macd(close, fast, slow, smooth)\n"
     "buy  when crossover(line, signal)\n"
     "sell when crossunder(line, signal)\n"},
    {"bollinger", "buy below the lower band, sell above the upper",
     "# bollinger.rule: buy a close below the lower band, sell one above the upper band\n"
     "param period = 20 in 10..50 step 5\n"
     "param width  = 2  in 1..3 step 0.5\n"
     "\n"
     "upper, _, lower = bbands(close, period, width, width)\n"
     "buy  when crossunder(close, lower)\n"
     "sell when crossover(close, upper)\n"},
    {"donchian", "buy a new high, sell a new low",
     "# donchian.rule: buy a close above the highest high before, sell one below the lowest low\n"
     "param entry = 20 in 10..100 step 10\n"
     "param leave = 10 in 5..50 step 5\n"
     "\n"
     "buy  when close > highest(high, entry)[1]\n"
     "sell when close < lowest(low, leave)[1]\n"},
    {"supertrend", "follow the supertrend",
     "# supertrend.rule: in the market while the close is above the supertrend\n"
     "param period = 10 in 5..30 step 5\n"
     "param factor = 3  in 1..6 step 0.5\n"
     "\n"
     "line = supertrend(period, factor).supertrend\n"
     "buy  when crossover(close, line)\n"
     "sell when crossunder(close, line)\n"},
};
const size_t rule_builtin_count = ARRAY_COUNT(rule_builtins);

const struct rule_builtin *rule_builtin_find(struct text name)
{
    for (size_t i = 0; i < rule_builtin_count; i++)
        if (text_is(name, rule_builtins[i].name))
            return &rule_builtins[i];
    return NULL;
}

const char *rule_builtin_nearest(struct text name)
{
    const char *names[ARRAY_COUNT(rule_builtins)];

    for (size_t i = 0; i < rule_builtin_count; i++)
        names[i] = rule_builtins[i].name;
    return text_nearest(name, names, rule_builtin_count);
}
