#!/usr/bin/env python3
"""The rule language, slowly and plainly: an interpreter written from the language's description alone, one bar after the
other, to hold the compiler and the evaluator against.  It shares no code and no idea with them.

    import reference
    rule = reference.Rule(text, {"period": 9})
    result = rule.run(bars)            # a list of dicts with time open high low close volume
    result.columns                     # {name: [value a bar]}: named values, buy sell short cover, stop target trail size
    result.near_tie                    # some decision hung on less than 1e-9: two right programs may differ there

A number is a float, a condition a bool, what is not defined is NaN.  A column is a list with one of these for each bar.
Run by itself it checks itself: every sentence of the description that can be a small example."""
import datetime
import math
import re
import sys

NAN = math.nan
COLUMNS = "open high low close volume time bar_index hour minute day weekday month year hl2 hlc3 ohlc4".split()
STATEMENTS = "param require def buy sell short cover stop target trail exit size say select order show limit from".split()


class RuleError(Exception):
    pass


# ---- words ------------------------------------------------------------------------------------------------------------

TOKEN = re.compile(r"""(?P<blank>[ \t\r]+|\#[^\n]*)|(?P<line>\n)|(?P<date>\d{4}-\d\d-\d\d(?![\w]))
    |(?P<number>\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"\n]*")
    |(?P<sign>\.\.|<=|>=|==|!=|[-+*/<>=(){}\[\],.%])""", re.X)


def words(text):
    """[(kind, text)]; a `line` where a statement ends."""
    found, at = [], 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise RuleError(f"no word at {text[at:at + 20]!r}")
        at = m.end()
        if m.lastgroup != "blank":
            found.append((m.lastgroup, m.group()))
    out, depth = [], 0
    for i, (kind, word) in enumerate(found):
        if word in ("(", "[", "{"):
            depth += 1
        elif word in (")", "]", "}"):
            depth -= 1
        if kind != "line":
            out.append((kind, word))
            continue
        later = next((w for k, w in found[i:] if k != "line"), "")
        before = out[-1][1] if out else ""
        goes_on = before in ("+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", ",", "and", "or")
        if depth == 0 and not goes_on and later not in ("and", "or") and out and out[-1][0] != "line":
            out.append(("line", "\n"))
    return out + [("line", "\n"), ("end", "")]


# ---- the tree: tuples --------------------------------------------------------------------------------------------------

class Parser:
    def __init__(self, text):
        self.words, self.at = words(text), 0

    def peek(self, n=0):
        return self.words[min(self.at + n, len(self.words) - 1)][1]

    def kind(self):
        return self.words[self.at][0]

    def take(self, wanted=None):
        kind, word = self.words[self.at]
        if wanted is not None and word != wanted:
            raise RuleError(f"{word!r} instead of {wanted!r}")
        self.at += 1
        return word

    def accept(self, *wanted):
        if self.peek() in wanted and self.kind() != "text":
            return self.take()
        return None

    def expression(self):
        left = self.conjunction()
        while self.accept("or"):
            left = ("or", left, self.conjunction())
        return left

    def conjunction(self):
        left = self.negation()
        while self.accept("and"):
            left = ("and", left, self.negation())
        return left

    def negation(self):
        return ("not", self.negation()) if self.accept("not") else self.comparison()

    def comparison(self):
        left = self.total()
        sign = self.accept("<", "<=", ">", ">=", "==", "!=")
        return ("compare", sign, left, self.total()) if sign else left

    def total(self):
        left = self.product()
        while self.peek() in ("+", "-"):
            left = (self.take(), left, self.product())
        return left

    def product(self):
        left = self.negative()
        while self.peek() in ("*", "/"):
            left = (self.take(), left, self.negative())
        return left

    def negative(self):
        return ("negative", self.negative()) if self.accept("-") else self.postfix()

    def postfix(self):
        value = self.primary()
        while True:
            if self.accept("["):
                value = ("back", value, self.expression())
                self.take("]")
            elif self.accept("%"):
                value = ("percent", value)
            elif self.peek() == "." and self.kind() == "sign":
                self.take()
                value = ("output", value, self.take())
            else:
                return value

    def primary(self):
        kind = self.kind()
        if kind == "number":
            return ("number", float(self.take().replace("_", "")))
        if kind == "date":
            day = datetime.date.fromisoformat(self.take())
            return ("number", float((day - datetime.date(1970, 1, 1)).days * 86400000))
        if kind == "text":
            return ("text", self.take()[1:-1])
        if self.accept("("):
            value = self.expression()
            self.take(")")
            return value
        if kind != "name":
            raise RuleError(f"no value: {self.peek()!r}")
        name = self.take()
        if not self.accept("("):
            return ("name", name)
        arguments, named = [], {}
        while not self.accept(")"):
            if self.kind() == "name" and self.peek(1) == "=":
                key = self.take()
                self.take("=")
                named[key] = self.expression()
            else:
                arguments.append(self.expression())
            if self.peek() != ")":
                self.take(",")
        return ("call", name, arguments, named)


# ---- values -----------------------------------------------------------------------------------------------------------

class Value:
    """per_bar False: the same on every bar.  exact False: an indicator or the C library had a hand in it."""
    def __init__(self, data, per_bar=False, exact=True):
        self.data, self.per_bar, self.exact = data, per_bar, exact

    def at(self, bar):
        return self.data[bar] if self.per_bar else self.data

    def column(self, count):
        return self.data if self.per_bar else [self.data] * count


def divide(a, b):
    return NAN if b == 0 or b != b else a / b


def arithmetic(sign, a, b):
    if a != a or b != b:
        return NAN
    if sign == "/":
        return divide(a, b)
    return a + b if sign == "+" else a - b if sign == "-" else a * b


def compare(sign, a, b):
    if a != a or b != b:
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[sign]


def half_away(x):
    """Rounds halves away from 0; large numbers are whole already."""
    if x != x or abs(x) >= 2 ** 52:
        return x
    whole = math.floor(abs(x))
    return math.copysign(whole + (abs(x) - whole >= 0.5), x)


def power(a, b):
    if a != a or b != b or (a == 0 and b < 0):
        return NAN
    try:
        result = math.pow(a, b)
    except ValueError:
        return NAN
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    return result


def exponential(x):
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


ONE = {
    "abs": abs,
    "sign": lambda x: x if x != x else float((x > 0) - (x < 0)),
    "floor": lambda x: x if x != x or math.isinf(x) else math.copysign(float(math.floor(x)), x),
    "ceil": lambda x: x if x != x or math.isinf(x) else math.copysign(float(math.ceil(x)), x),
    "round": half_away,
    "log": lambda x: math.log(x) if x > 0 else NAN,
    "exp": lambda x: x if x != x else exponential(x),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else NAN,
}


# ---- indicators, over values that are all defined ----------------------------------------------------------------------

def rolling(x, n, f):
    return [NAN] * min(n - 1, len(x)) + [f(x[i - n + 1:i + 1]) for i in range(n - 1, len(x))]


def sma(x, n):
    return rolling(x, n, lambda w: math.fsum(w) / n)


def wma(x, n):
    return rolling(x, n, lambda w: math.fsum(v * (k + 1) for k, v in enumerate(w)) / (n * (n + 1) / 2))


def ema(x, n):
    out, value = [], NAN
    for i, v in enumerate(x):
        if i == n - 1:
            value = math.fsum(x[:n]) / n
        elif i >= n:
            value += 2 / (n + 1) * (v - value)
        out.append(value)
    return out


def rsi(x, n):
    out, gain, loss = [], 0.0, 0.0
    for i in range(len(x)):
        change = x[i] - x[i - 1] if i else 0.0
        if 1 <= i <= n:
            gain += max(change, 0) / n
            loss += max(-change, 0) / n
        elif i > n:
            gain = (gain * (n - 1) + max(change, 0)) / n
            loss = (loss * (n - 1) + max(-change, 0)) / n
        out.append(NAN if i < n else divide(100 * gain, gain + loss))
    return out


def true_range(high, low, close):
    return [NAN] + [max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1]))
                    for i in range(1, len(close))]


def atr(high, low, close, n):
    ranges, out, value = true_range(high, low, close), [], NAN
    for i in range(len(close)):
        if i == n:
            value = math.fsum(ranges[1:n + 1]) / n
        elif i > n:
            value = (value * (n - 1) + ranges[i]) / n
        out.append(value)
    return out


def macd(x, fast, slow, smooth):
    """TA-Lib starts both averages at the slow one's first bar."""
    def late(n):
        return [NAN] * (slow - n) + ema(x[slow - n:], n)
    fast, slow = min(fast, slow), max(fast, slow)
    line = [a - b for a, b in zip(late(fast), ema(x, slow))]
    signal = [NAN] * min(slow - 1, len(x)) + ema(line[slow - 1:], smooth)
    line = [a if b == b else NAN for a, b in zip(line, signal)]
    return line, signal, [a - b for a, b in zip(line, signal)]


def bbands(x, n, up, down):
    middle = sma(x, n)
    def spread(w):
        mean = math.fsum(w) / n
        return math.sqrt(math.fsum((v - mean) ** 2 for v in w) / n)
    widths = rolling(x, n, spread)
    return [m + up * s for m, s in zip(middle, widths)], middle, [m - down * s for m, s in zip(middle, widths)]


def before(x, n):
    return [NAN] * min(n, len(x)) + x[:max(len(x) - n, 0)]


# name: (kinds of arguments, (parameter, usual) …, outputs, function).  `x` a price that must be given; h l c: bar columns.
INDICATORS = {
    "sma": ("x", [("timeperiod", 30)], ["real"], sma),
    "wma": ("x", [("timeperiod", 30)], ["real"], wma),
    "ema": ("x", [("timeperiod", 30)], ["real"], ema),
    "rsi": ("x", [("timeperiod", 14)], ["real"], rsi),
    "atr": ("hlc", [("timeperiod", 14)], ["real"], atr),
    "mom": ("x", [("timeperiod", 10)], ["real"], lambda x, n: [a - b for a, b in zip(x, before(x, n))]),
    "roc": ("x", [("timeperiod", 10)], ["real"], lambda x, n: [NAN if b != b else divide(a - b, b) * 100 for a, b in zip(x, before(x, n))]),
    "macd": ("x", [("fastperiod", 12), ("slowperiod", 26), ("signalperiod", 9)], ["macd", "macdsignal", "macdhist"], macd),
    "bbands": ("x", [("timeperiod", 20), ("nbdevup", 2), ("nbdevdn", 2)], ["upperband", "middleband", "lowerband"], bbands),
    "highest": ("x", [("timeperiod", 30)], ["real"], lambda x, n: rolling(x, n, max)),
    "lowest": ("x", [("timeperiod", 30)], ["real"], lambda x, n: rolling(x, n, min)),
    "sum": ("x", [("timeperiod", 30)], ["real"], lambda x, n: rolling(x, n, math.fsum)),
}
EXACT = {"highest", "lowest"}
ALIASES = {"period": "timeperiod", "fast": "fastperiod", "slow": "slowperiod", "hist": "macdhist"}


def counts(x):
    """What windows and averages do not pass over: a number, and none that sums would make infinite."""
    return abs(x) <= 1e70


def over_defined(function, inputs, *parameters):
    """As if bars with an input that does not count were not there; on them the result is not defined."""
    count = len(inputs[0])
    kept = [t for t in range(count) if all(counts(x[t]) for x in inputs)]
    results = function(*[[x[t] for t in kept] for x in inputs], *parameters)
    single = not isinstance(results, tuple)
    out = []
    for result in [results] if single else results:
        column = [NAN] * count
        for t, value in zip(kept, result):
            column[t] = value
        out.append(column)
    return out


# ---- a rule ------------------------------------------------------------------------------------------------------------

class Result:
    def __init__(self):
        self.columns, self.near_tie, self.exact, self.exit_after = {}, False, {}, None


class Rule:
    def __init__(self, text, parameters=None):
        self.parameters, self.requires, self.steps, self.defs = {}, [], [], {}
        self.given, self.say = parameters or {}, None
        self.parser = Parser(text)
        while self.parser.kind() != "end":
            if self.parser.kind() == "line":
                self.parser.take()
            else:
                self.statement()

    def literal(self):
        p = self.parser
        negative = p.accept("-")
        value = p.primary()
        number = -value[1] if negative else value[1]
        return number / 100 if p.accept("%") else number

    def statement(self):
        p, word = self.parser, self.parser.peek()
        if p.peek(1) in ("=", ",") or word not in STATEMENTS:
            names = [p.take()]
            while p.accept(","):
                names.append(p.take())
            p.take("=")
            self.steps.append(("value", names, p.expression()))
        elif p.take() == "param":
            name = p.take()
            p.take("=")
            self.parameters[name] = float(self.given.get(name, self.literal()))
            while p.kind() != "line":
                p.take()
            self.steps.append(("value", [name], ("number", self.parameters[name])))
        elif word == "require":
            self.steps.append(("require", p.expression()))
        elif word == "def":
            name, arguments = p.take(), []
            p.take("(")
            while not p.accept(")"):
                arguments.append(p.take())
                p.accept(",")
            p.take("=")
            self.steps.append(("def", name, arguments, p.expression()))
        elif word in ("buy", "sell", "short", "cover"):
            p.take("when")
            self.steps.append(("said", word, p.expression()))
        elif word in ("stop", "target", "trail"):
            self.steps.append(("said", word, p.expression()))
        elif word == "exit":
            p.take("after")
            self.steps.append(("exit", p.expression()))
            p.take()
        elif word == "size":
            if p.peek() == "risk" and p.peek(1) not in ("%", "units", "cash", "*", "/", "+", "-"):
                p.take()
            self.steps.append(("said", word, p.expression()))
            p.accept("units", "cash")
        elif word == "say":
            self.say = p.take()[1:-1]
        else:
            raise RuleError(f"{word}: comes with the scanners")
        if p.kind() not in ("line", "end"):
            raise RuleError(f"{p.peek()!r} at the end of a statement")

    def run(self, bars):
        return Run(self, bars).result


class Run:
    def __init__(self, rule, bars):
        self.bars, self.count, self.result = bars, len(bars), Result()
        names, defs = {}, {}
        for step in rule.steps:
            if step[0] == "value":
                self.name_values(names, step[1], self.value(step[2], names, defs), rule)
            elif step[0] == "def":
                defs[step[1]] = (step[2], step[3], dict(names), dict(defs))
            elif step[0] == "require":
                if not self.value(step[1], names, defs).data:
                    raise RuleError("the parameters break a require")
            elif step[0] == "exit":
                self.result.exit_after = self.value(step[1], names, defs).data
            else:
                self.note(step[1], self.value(step[2], names, defs))

    def note(self, name, value):
        self.result.columns[name] = value.column(self.count)
        self.result.exact[name] = value.exact

    def name_values(self, names, wanted, value, rule):
        values = value if isinstance(value, list) else [value]
        if len(values) != len(wanted):
            raise RuleError(f"{len(wanted)} names for {len(values)} values")
        for name, one in zip(wanted, values):
            if name != "_":
                names[name] = one
                if name not in rule.parameters:
                    self.note(name, one)

    # ---- one value from others

    def tie(self, a, b, exact):
        """Whether a decision between two numbers hangs on their last digits."""
        if not exact and math.isfinite(a) and math.isfinite(b) and abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-3):
            self.result.near_tie = True

    def near_zero(self, value):
        """What is not defined at 0, or below it, hangs on the last digits near it."""
        for t in range(self.count):
            self.tie(value.at(t), 0.0, value.exact)

    def each(self, function, *values, exact=True):
        per_bar = any(v.per_bar for v in values)
        exact = exact and all(v.exact for v in values)
        if not per_bar:
            return Value(function(*[v.data for v in values]), False, exact)
        return Value([function(*[v.at(t) for v in values]) for t in range(self.count)], True, exact)

    def comparing(self, sign, a, b):
        def one(x, y):
            self.tie(x, y, a.exact and b.exact)
            return compare(sign, x, y)
        result = self.each(one, a, b)
        result.exact = True # a condition is right or wrong, never near
        return result

    def back(self, value, bars):
        n, nothing = int(bars.data), False if isinstance(value.at(0), bool) else NAN
        if n < 0 or n != bars.data:
            raise RuleError("bars back")
        return Value([value.at(t - n) if t >= n else nothing for t in range(self.count)], True, value.exact)

    def column(self, name):
        bars = self.bars
        if name in ("open", "high", "low", "close", "volume", "time"):
            return Value([float(b[name]) for b in bars], True)
        if name == "bar_index":
            return Value([float(t) for t in range(self.count)], True)
        if name == "hl2":
            return Value([(b["high"] + b["low"]) / 2 for b in bars], True)
        if name == "hlc3":
            return Value([(b["high"] + b["low"] + b["close"]) / 3 for b in bars], True)
        if name == "ohlc4":
            return Value([(b["open"] + b["high"] + b["low"] + b["close"]) / 4 for b in bars], True)
        clock = [datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=b["time"]) for b in bars]
        return Value([float(c.isoweekday() if name == "weekday" else getattr(c, name)) for c in clock], True)

    def value(self, tree, names, defs):
        kind = tree[0]
        sub = lambda t: self.value(t, names, defs)
        if kind == "number":
            return Value(tree[1])
        if kind == "name":
            if tree[1] in COLUMNS:
                return self.column(tree[1])
            if tree[1] not in names:
                raise RuleError(f"unknown {tree[1]}")
            return names[tree[1]]
        if kind in ("+", "-", "*", "/"):
            a, b = sub(tree[1]), sub(tree[2])
            if kind == "/":
                self.near_zero(b)
            return self.each(lambda x, y: arithmetic(kind, x, y), a, b)
        if kind == "negative":
            return self.each(lambda a: -a, sub(tree[1]))
        if kind == "percent":
            return self.each(lambda a: a / 100, sub(tree[1]))
        if kind == "compare":
            return self.comparing(tree[1], sub(tree[2]), sub(tree[3]))
        if kind == "not":
            return self.each(lambda a: not a, sub(tree[1]))
        if kind == "and":
            return self.each(lambda a, b: a and b, sub(tree[1]), sub(tree[2]))
        if kind == "or":
            return self.each(lambda a, b: a or b, sub(tree[1]), sub(tree[2]))
        if kind == "back":
            return self.back(sub(tree[1]), sub(tree[2]))
        if kind == "output":
            outputs = INDICATORS[tree[1][1]][2]
            value = sub(tree[1])
            return (value if isinstance(value, list) else [value])[outputs.index(ALIASES.get(tree[2], tree[2]))]
        if kind == "call":
            return self.call(tree, names, defs)
        raise RuleError(f"no value: {tree}")

    # ---- functions

    def call(self, tree, names, defs):
        _, name, arguments, named = tree
        if name in defs:
            wanted, body, seen, older = defs[name]
            given = {k: self.value(v, names, defs) for k, v in named.items()}
            for key, argument in zip(wanted, arguments):
                given[key] = self.value(argument, names, defs)
            return self.value(body, {**seen, **given}, older)
        if name == "since":
            return self.since(self.value(arguments[0], names, defs), self.value(arguments[1], names, defs), arguments[2][1])
        values = [self.value(a, names, defs) for a in arguments]
        if name in INDICATORS:
            return self.indicator(name, values, {ALIASES.get(k, k): self.value(v, names, defs) for k, v in named.items()})
        return getattr(self, "f_" + name, None)(*values) if hasattr(self, "f_" + name) else self.plain(name, values)

    def indicator(self, name, values, named):
        inputs, parameters, outputs, function = INDICATORS[name]
        if inputs == "x":
            columns, values, exact = [values[0].column(self.count)], values[1:], values[0].exact
        else:
            columns, exact = [self.column({"h": "high", "l": "low", "c": "close"}[k]).data for k in inputs], True
        numbers = []
        for i, (key, usual) in enumerate(parameters):
            number = values[i].data if i < len(values) else named[key].data if key in named else usual
            numbers.append(number if key.startswith("nbdev") else int(number))
        results = over_defined(function, columns, *numbers)
        # Sums of prices that are 64ths have no rounding at all.
        results = [Value(r, True, exact and name in EXACT) for r in results]
        return results[0] if len(outputs) == 1 else results

    def plain(self, name, values):
        if name in ONE:
            if name in ("floor", "ceil", "round", "sign"):
                for t in range(self.count):
                    x = values[0].at(t)
                    if x == x and not math.isinf(x):
                        self.tie(x, half_away(x * 2) / 2, values[0].exact)
            if name in ("log", "sqrt"):
                self.near_zero(values[0])
            return self.each(ONE[name], *values, exact=name not in ("log", "exp"))
        raise RuleError(f"unknown function {name}")

    def f_pow(self, a, b):
        self.near_zero(a)
        return self.each(power, a, b, exact=False)

    def f_nz(self, a, b=Value(0.0)):
        return self.each(lambda x, v: v if x != x else x, a, b)

    def f_isnan(self, a):
        return self.each(lambda x: x != x, a)

    def f_max(self, a, b):
        return self.each(lambda x, y: NAN if x != x or y != y else x if x > y else y, a, b)

    def f_min(self, a, b):
        return self.each(lambda x, y: NAN if x != x or y != y else x if x < y else y, a, b)

    def f_if(self, c, a, b):
        return self.each(lambda x, y, z: y if x else z, c, a, b)

    def f_change(self, x, n=Value(1.0)):
        return self.each(lambda a, b: arithmetic("-", a, b), x, self.back(x, n))

    def f_crossover(self, a, b):
        return self.crossing(a, b, ">", "<=")

    def f_crossunder(self, a, b):
        return self.crossing(a, b, "<", ">=")

    def crossing(self, a, b, now, earlier):
        x, y = a.column(self.count), b.column(self.count)
        for t in range(self.count):
            self.tie(x[t], y[t], a.exact and b.exact)
        return Value([t > 0 and compare(now, x[t], y[t]) and compare(earlier, x[t - 1], y[t - 1])
                      for t in range(self.count)], True)

    def trend(self, x, n, better):
        n = int(n.data)
        def holds(values):
            out = []
            for i, v in enumerate(values):
                window = values[max(i - n, 0):i]
                for w in window:
                    self.tie(v, w, x.exact)
                out.append(1.0 if i >= n and all(better(v, w) for w in window) else 0.0)
            return out
        return Value([v == 1.0 for v in over_defined(holds, [x.column(self.count)])[0]], True)

    def f_rising(self, x, n):
        return self.trend(x, n, lambda v, w: v > w)

    def f_falling(self, x, n):
        return self.trend(x, n, lambda v, w: v < w)

    def f_count(self, c, n):
        n, c = int(n.data), c.column(self.count)
        return Value([float(sum(c[t - n + 1:t + 1])) if t >= n - 1 else NAN for t in range(self.count)], True)

    def f_barssince(self, c):
        out, last = [], None
        for t in range(self.count):
            last = t if c.at(t) else last
            out.append(NAN if last is None else float(t - last))
        return Value(out, True)

    def f_valuewhen(self, c, x, k=Value(0.0)):
        out, held = [], []
        for t in range(self.count):
            if c.at(t):
                held.append(x.at(t))
            out.append(held[-1 - int(k.data)] if len(held) > int(k.data) else NAN)
        return Value(out, True, x.exact)

    def since(self, c, x, what):
        out, begun, held = [], False, []
        for t in range(self.count):
            if c.at(t):
                begun, held = True, []
            v = x.at(t)
            if begun and counts(v):
                held.append(v)
            if not begun or not counts(v):
                out.append(NAN)
            elif what == "sum":
                total = 0.0
                for i, h in enumerate(held):
                    total = h if i == 0 else total + h
                out.append(total)
            else:
                out.append(max(held) if what == "max" else min(held))
        return Value(out, True, x.exact)

    def pivot(self, x, left, right, better):
        left, right = int(left.data), int(right.data)
        def turns(values):
            out = []
            for i in range(len(values)):
                middle = values[i - right] if i >= left + right else NAN
                others = [values[k] for k in range(max(i - left - right, 0), i + 1) if k != i - right]
                for w in others:
                    self.tie(middle, w, x.exact)
                out.append(middle if i >= left + right and all(better(middle, w) for w in others) else NAN)
            return out
        return Value(over_defined(turns, [x.column(self.count)])[0], True, x.exact)

    def f_pivothigh(self, x, left, right):
        return self.pivot(x, left, right, lambda v, w: v > w)

    def f_pivotlow(self, x, left, right):
        return self.pivot(x, left, right, lambda v, w: v < w)


# ---- it checks itself --------------------------------------------------------------------------------------------------

def bars_of(closes):
    return [dict(time=i * 86400000, open=c, high=c + 1, low=c - 1, close=c, volume=10.0) for i, c in enumerate(closes)]


def same(a, b):
    return len(a) == len(b) and all(x == y or (x != x and y != y) for x, y in zip(a, b))


EXAMPLES = [ # expression, closes, what it is
    ("close[2]", [1, 2, 3], [NAN, NAN, 1]),
    ("close - close[1] > 0", [1, 2, 1], [False, True, False]),
    ("not close[1] > 0", [1, 2, 1], [True, False, False]),
    ("close != close[1]", [1, 2, 2], [False, True, False]),
    ("close / (close - 1)", [1, 2, 3], [NAN, 2, 1.5]),
    ("5% * 2 + 1", [1], [1.1]),
    ("-2 * 3 + 10 / 4", [1], [-3.5]),
    ("if(close > 1 or close == 1 and close > 5, 1, 0)", [1, 2], [0, 1]),
    ("crossover(close, 2)", [1, 2, 3, 2, 3], [False, False, True, False, True]),
    ("crossunder(close, 2)", [3, 2, 1], [False, False, True]),
    ("crossover(sma(close, 2), 0)", [1, 1, 1], [False, False, False]),
    ("highest(close, 2)", [3, 1, 2], [NAN, 3, 2]),
    ("highest(if(close == 1, close / 0, close), 2)", [3, 1, 2], [NAN, NAN, 3]),
    ("sma(close, 2)", [1, 2, 4], [NAN, 1.5, 3]),
    ("ema(close, 3)", [1, 2, 3, 6], [NAN, NAN, 2, 4]),
    ("rsi(close, 2)", [5, 5, 5, 5], [NAN] * 4),
    ("rsi(close, 2)", [1, 2, 1], [NAN, NAN, 50]),
    ("rising(close, 2)", [1, 2, 3, 2], [False, False, True, False]),
    ("falling(close, 1)", [2, 2, 1], [False, False, True]),
    ("count(close > 1, 2)", [1, 2, 3], [NAN, 1, 2]),
    ("barssince(close == 2)", [1, 2, 3, 3], [NAN, 0, 1, 2]),
    ("valuewhen(close > close[1], close, 1)", [1, 2, 1, 3], [NAN, NAN, NAN, 2]),
    ('since(close == 1, close, "max")', [5, 1, 4, 2, 1], [NAN, 1, 4, 4, 1]),
    ('since(close == 1, close, "sum")', [5, 1, 4, 2], [NAN, 1, 5, 7]),
    ("pivothigh(close, 1, 1)", [1, 3, 2, 2], [NAN, NAN, 3, NAN]),
    ("nz(close[1], 9)", [1, 2], [9, 1]),
    ("isnan(close[1])", [1, 2], [True, False]),
    ("max(close, 2) + min(close, 2)", [1, 3], [3, 5]),
    ("round(close) + floor(-close)", [2.5], [0]),
    ("hl2 + hlc3 + ohlc4", [3], [9]),
    ("weekday + month * 10 + year", [1], [4 + 10 + 1970]),
    ("change(close)", [1, 4], [NAN, 3]),
    ("atr(1)", [1, 5], [NAN, 5]),
    ("sma(close + exp(close * 800) - exp(close * 800), 2)", [1, 0, 1, -2], [NAN, NAN, NAN, -1]),
    ("sum(1e300 * close, 1)", [1, 0, 2], [NAN, 0, NAN]),
]


def main():
    passed = failed = 0
    for expression, closes, expected in EXAMPLES:
        got = Rule(f"x = {expression}\nbuy when close > 0").run(bars_of([float(c) for c in closes])).columns["x"]
        if same(got, expected):
            passed += 1
        else:
            failed += 1
            print(f"{expression} of {closes} is {got}, not {expected}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
