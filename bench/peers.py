"""The peers that the yardsticks have no script for; bench.py runs it with the Python that has them.

    python3 bench/peers.py batch DATA                backtesting.py over 211 symbols, ms
    python3 bench/peers.py whole vectorbt DATA       one market ranked once; the caller's clock runs
    python3 bench/peers.py whole backtesting DATA    one symbol once
    python3 bench/peers.py talib LIBRARY             TA-Lib from its C library: NAME ns-a-bar lines
    python3 bench/peers.py polars FILE               read_csv, least and median seconds"""
import ctypes
import random
import sys
import time

SYMBOLS, BARS = 211, 1828
RSI, LOW, HIGH, CASH, FEE = 14, 30, 70, 10000, 0.001

# TA-Lib's functions with the parameters of peers/vector.md: inputs, parameters, number of outputs.
TALIB = {
    "SMA": ("c", [20], 1), "EMA": ("c", [20], 1), "WMA": ("c", [20], 1), "KAMA": ("c", [30], 1),
    "RSI": ("c", [14], 1), "MACD": ("c", [12, 26, 9], 3), "BBANDS": ("c", [20, 2.0, 2.0, 0], 3),
    "ATR": ("hlc", [14], 1), "ADX": ("hlc", [14], 1), "STOCH": ("hlc", [14, 3, 0, 3, 0], 2),
    "CCI": ("hlc", [20], 1), "MFI": ("hlcv", [14], 1), "OBV": ("cv", [], 1),
    "SAR": ("hl", [0.02, 0.2], 1), "WILLR": ("hlc", [14], 1), "AROON": ("hl", [14], 2),
    "ULTOSC": ("hlc", [7, 14, 28], 1), "MIN": ("c", [30], 1), "MAX": ("c", [30], 1),
    "LINEARREG": ("c", [14], 1), "ROC": ("c", [10], 1), "STDDEV": ("c", [20, 1.0], 1),
    "CORREL": ("co", [30], 1),
}


def least_and_median(work, repeats):
    taken = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    taken = sorted(taken[1:])  # the first compiles and fills caches
    return taken[0], taken[len(taken) // 2]


def columns(data):
    import numpy as np
    return {c: np.fromfile(f"{data}/batch_{c}.f64").reshape(SYMBOLS, BARS) for c in "ohlcv"}


# ---- backtesting.py ----------------------------------------------------------------------------

def backtesting_run(data, symbols):
    """A function that runs these symbols once."""
    import pandas as pd
    import talib
    from backtesting import Strategy
    from backtesting.lib import FractionalBacktest, crossover

    class Rsi(Strategy):
        def init(self):
            self.rsi = self.I(talib.RSI, self.data.Close, RSI)

        def next(self):
            if not self.position and crossover(LOW, self.rsi):
                self.buy()
            elif self.position and crossover(self.rsi, HIGH):
                self.position.close()

    names = {"o": "Open", "h": "High", "l": "Low", "c": "Close", "v": "Volume"}
    column = columns(data)
    days = pd.date_range("2018-01-01", periods=BARS, freq="D")
    frames = [pd.DataFrame({names[c]: column[c][s] for c in names}, index=days) for s in symbols]

    def run():
        for frame in frames:
            FractionalBacktest(frame, Rsi, cash=CASH, commission=FEE, trade_on_close=True).run()
    return run


def batch(data):
    """Three symbols, scaled to all: every one takes the same time."""
    least, _ = least_and_median(backtesting_run(data, range(3)), 7)
    print(f"backtesting {least * 1e3 * SYMBOLS / 3:.1f} ms")


def whole(peer, data):
    if peer == "backtesting":
        backtesting_run(data, [0])()
        return
    import pandas as pd
    import vectorbt as vbt
    days = pd.date_range("2018-01-01", periods=BARS, freq="D")
    close = pd.DataFrame(columns(data)["c"].T, index=days)
    rsi = vbt.RSI.run(close, RSI).rsi
    portfolio = vbt.Portfolio.from_signals(close, (rsi < LOW).values, (rsi > HIGH).values,
                                           fees=FEE, init_cash=CASH, freq="1D")
    print(portfolio.total_return().sum(), portfolio.max_drawdown().sum(),
          portfolio.trades.count().sum(), portfolio.trades.win_rate().mean(),
          portfolio.sharpe_ratio().mean())


# ---- TA-Lib ------------------------------------------------------------------------------------

def walk(bars):
    """Bars that fit the second-level cache; the call from Python is lost in their number."""
    draw = random.Random(1)
    price, column = 100.0, {c: (ctypes.c_double * bars)() for c in "ohlcv"}
    for i in range(bars):
        before, price = price, price * (1 + draw.gauss(0, 0.01))
        column["o"][i], column["c"][i] = before, price
        column["h"][i] = max(before, price) * (1 + abs(draw.gauss(0, 0.004)))
        column["l"][i] = min(before, price) * (1 - abs(draw.gauss(0, 0.004)))
        column["v"][i] = 1000 * draw.random()
    return column


def talib(path):
    bars = 16 * BARS
    library, column = ctypes.CDLL(path), walk(16 * BARS)
    library.TA_Initialize()
    outputs = [(ctypes.c_double * bars)() for _ in range(3)]
    begin, count = ctypes.c_int(), ctypes.c_int()
    for name, (inputs, parameters, output_count) in TALIB.items():
        function = getattr(library, "TA_" + name)
        arguments = [ctypes.c_int(0), ctypes.c_int(bars - 1), *(column[c] for c in inputs)]
        arguments += [ctypes.c_double(p) if isinstance(p, float) else ctypes.c_int(p)
                      for p in parameters]
        arguments += [ctypes.byref(begin), ctypes.byref(count), *outputs[:output_count]]
        if function(*arguments):
            sys.exit(f"TA_{name} refuses its arguments")
        least, median = least_and_median(lambda: function(*arguments), 31)
        print(f"{name} {least * 1e9 / bars:.3f} ns median {median * 1e9 / bars:.3f}")


def polars(path):
    import polars
    least, median = least_and_median(lambda: polars.read_csv(path), 7)
    print(f"polars {least:.6f} s median {median:.6f}")


{"batch": batch, "whole": whole, "talib": talib, "polars": polars}[sys.argv[1]](*sys.argv[2:])
