/* Options: where they come from, which source wins, and the sentences for what is wrong. */
#include <math.h>

#include "test.h"

#include "conf/conf.c"
#include "conf/value.c"
#include "conf/yaml.c"
#include "sys/simulated.h"

static const enum option taken[] = {OPT_HELP, OPT_DATA, OPT_JSON, OPT_JOBS,    OPT_CASH, OPT_FEE,
                                    OPT_FILL, OPT_FROM, OPT_SET,  OPT_SYMBOLS, OPT_TOP,  OPT_COLOR};

struct trial {
    struct conf *conf;
    struct error err;
    const char *operands[16];
    size_t operand_count;
};

/* A process of its own: `file` is its configuration (NULL: none), `words` its command line. */
static enum status start(struct trial *trial, const char *file, const char *words)
{
    static char copy[1024], *argv[64];
    char path[256];
    int argc = 0;
    enum status status;

    setenv("XDG_CONFIG_HOME", test_directory(), 1);
    snprintf(path, sizeof path, "%s/harrier", test_directory());
    CHECK_OK(directory_make_all(env_posix(), path, &trial->err));
    snprintf(path, sizeof path, "%s/harrier/config.yaml", test_directory());
    if (file)
        CHECK_OK(file_write_whole(env_posix(), path, file, strlen(file), &trial->err));
    else
        remove(path);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    trial->conf = NULL;
    status = conf_open(&trial->conf, env_posix(), &trial->err);
    if (status == STATUS_OK)
        status = conf_parse(trial->conf, argc, argv, taken, ARRAY_COUNT(taken), trial->operands,
                            &trial->operand_count, &trial->err);
    return status;
}

static void finish(struct trial *trial)
{
    conf_close(trial->conf);
}

/* Starts, expects the status and the words in the sentence. */
static void wrong(const char *file, const char *words, const char *sentence)
{
    struct trial trial;

    CHECK_STATUS(start(&trial, file, words), STATUS_USAGE);
    CHECK_CONTAINS(trial.err.text, sentence);
    finish(&trial);
}

TEST(every_row_is_complete)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        char variable[VARIABLE_BYTES];

        CHECK(row->name && row->help && strlen(row->help) > 5);
        CHECK(row->type == OPTION_FLAG || row->value_name);
        CHECK((row->type == OPTION_CHOICE) == (row->choices != NULL));
        CHECK(row->name[0] != '-' || row->flag);
        CHECK(row->type != OPTION_WHOLE || row->high > row->low);
        CHECK(!strchr(row->name, '.') || !strchr(strchr(row->name, '.') + 1, '.'));
        if (option_variable(row, variable))
            CHECK_INT(strspn(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"), strlen(variable));
    }
}

TEST(defaults_are_those_of_the_manual)
{
    struct trial trial;

    CHECK_OK(start(&trial, NULL, ""));
    CHECK(conf_number(trial.conf, OPT_CASH) == 10000);
    CHECK(conf_number(trial.conf, OPT_FEE) == 0.001);
    CHECK_TEXT(conf_text(trial.conf, OPT_FILL), "open");
    CHECK_TEXT(conf_origin(trial.conf, OPT_FILL), "default");
    CHECK_INT(conf_source(trial.conf, OPT_FILL), FROM_DEFAULT);
    CHECK(!conf_is_set(trial.conf, OPT_TOP) && !conf_text(trial.conf, OPT_TOP));
    CHECK(isnan(conf_number(trial.conf, OPT_TOP)));
    CHECK(!conf_flag(trial.conf, OPT_JSON));
    CHECK(!conf_file(trial.conf));
    finish(&trial);
}

TEST(each_source_wins_over_the_one_below)
{
    static const char file[] =
        "# mine\njobs: 2\nbacktest:\n  cash: 5000\n  fee: 5bps\n  fill: close\n";
    struct trial trial;
    char origin[300];

    setenv("HARRIER_BACKTEST_FEE", "0.2%", 1);
    setenv("HARRIER_JOBS", "3", 1);
    CHECK_OK(start(&trial, file, "--jobs 4"));
    unsetenv("HARRIER_BACKTEST_FEE");
    unsetenv("HARRIER_JOBS");
    CHECK(conf_number(trial.conf, OPT_CASH) == 5000);
    snprintf(origin, sizeof origin, "%s/harrier/config.yaml:4", test_directory());
    CHECK_TEXT(conf_origin(trial.conf, OPT_CASH), origin);
    CHECK_INT(conf_source(trial.conf, OPT_CASH), FROM_FILE);
    CHECK(conf_number(trial.conf, OPT_FEE) == 0.002);
    CHECK_TEXT(conf_origin(trial.conf, OPT_FEE), "HARRIER_BACKTEST_FEE");
    CHECK_INT(conf_whole(trial.conf, OPT_JOBS), 4);
    CHECK_TEXT(conf_origin(trial.conf, OPT_JOBS), "--jobs");
    CHECK_TEXT(conf_text(trial.conf, OPT_FILL), "close");
    CHECK(strstr(conf_file(trial.conf), "/harrier/config.yaml") != NULL);
    finish(&trial);
}

TEST(the_words_of_a_command_are_flags_and_operands)
{
    struct trial trial;

    CHECK_OK(
        start(&trial, NULL,
              "rsi -j2 - --fee=10bps --set a=1 more --set b=2,3 --symbols BTC*,ETH -h -- --json"));
    CHECK_INT(trial.operand_count, 4);
    CHECK_TEXT(trial.operands[0], "rsi");
    CHECK_TEXT(trial.operands[1], "-");
    CHECK_TEXT(trial.operands[2], "more");
    CHECK_TEXT(trial.operands[3], "--json");
    CHECK_INT(conf_whole(trial.conf, OPT_JOBS), 2);
    CHECK(conf_number(trial.conf, OPT_FEE) == 0.001);
    CHECK(conf_flag(trial.conf, OPT_HELP) && !conf_flag(trial.conf, OPT_JSON));
    CHECK_INT(conf_list_count(trial.conf, OPT_SET), 2);
    CHECK_TEXT(conf_list(trial.conf, OPT_SET, 1), "b=2,3");
    CHECK_INT(conf_list_count(trial.conf, OPT_SYMBOLS), 2);
    CHECK_TEXT(conf_list(trial.conf, OPT_SYMBOLS, 0), "BTC*");
    CHECK_TEXT(conf_list(trial.conf, OPT_SYMBOLS, 1), "ETH");
    finish(&trial);
    CHECK_OK(start(&trial, NULL, "--from 2020-01-31 --data= -j 3"));
    CHECK_INT(conf_date(trial.conf, OPT_FROM), 1580428800000);
    CHECK_TEXT(conf_text(trial.conf, OPT_DATA), "");
    CHECK_INT(conf_whole(trial.conf, OPT_JOBS), 3);
    finish(&trial);
}

TEST(wrong_words_are_answered_with_what_was_expected)
{
    wrong(NULL, "--fees 1%", "unknown option --fees; did you mean --fee?");
    wrong(NULL, "--grid a=1", "--grid is not an option of this command");
    wrong(NULL, "--nonsense", "unknown option --nonsense");
    wrong(NULL, "-x", "unknown option -x");
    wrong(NULL, "--jobs", "--jobs needs a value: --jobs N");
    wrong(NULL, "--cash --json", "--cash needs a value: --cash MONEY");
    wrong(NULL, "--json=yes", "--json takes no value");
    wrong(NULL, "--jobs 0", "--jobs: `0` is out of range: expected 1 to 1024");
    wrong(NULL, "--jobs two", "--jobs: `two` is not a whole number");
    wrong(NULL, "--jobs 1.5", "--jobs: `1.5` is not a whole number");
    wrong(NULL, "--cash -5", "--cash: `-5` is out of range");
    wrong(NULL, "--cash nan", "--cash: `nan` is not a number");
    wrong(NULL, "--fee 200%", "--fee: `200%` is out of range: expected 0% to 100%");
    wrong(NULL, "--fee -1bps", "--fee: `-1bps` is out of range");
    wrong(NULL, "--fill opn", "--fill: `opn` is not one of: open close; did you mean `open`?");
    wrong(NULL, "--from 2021-02-30", "--from: `2021-02-30` is not a time");
}

TEST(a_rate_needs_its_unit)
{
    struct error err;
    double share;

    CHECK_STATUS(rate_parse(&share, TEXT("0.1"), "--fee", &err), STATUS_USAGE);
    CHECK_TEXT(err.text,
               "--fee: the rate `0.1` has no unit: write `0.1%` or `10bps`, which are the same "
               "(or `10%` for 0.1 times the value)");
    CHECK_OK(rate_parse(&share, TEXT("0.7%"), "", &err));
    CHECK(share == 0.007); /* 0.7 / 100 is another double */
    CHECK_OK(rate_parse(&share, TEXT("7bps"), "", &err));
    CHECK(share == 0.0007);
    CHECK_OK(rate_parse(&share, TEXT(" 5 % "), "", &err));
    CHECK(share == 0.05);
    for (const char *const *text =
             (const char *const[]){"", "%", "bps", "x%", "1e1%", "1 bp", "nan%", "0x1%", NULL};
         *text; text++)
        CHECK_STATUS(rate_parse(&share, text_of(*text), "x", &err), STATUS_USAGE);
}

TEST(a_wrong_file_is_answered_with_file_and_line)
{
    wrong("jobs: 2\n\nbacktest:\n  fees: 1%\n", "",
          "config.yaml:4: unknown option `fees`; did you mean `fee`?");
    wrong("job: 2\n", "", "config.yaml:1: unknown option `job`; did you mean `jobs`?");
    wrong("jobs: 2\nbacktest:\n  cash: -1\n", "",
          "config.yaml:3: backtest.cash: `-1` is out of range");
    wrong("backtest:\n  fee: 0.1\n", "", "config.yaml:2: backtest.fee: the rate `0.1` has no unit");
    wrong("backtest: {fee: 0.1}\n", "", "config.yaml: backtest.fee: the rate `0.1` has no unit");
    wrong("jobs: [1, 2]\n", "", "config.yaml: not a configuration: ");
    wrong("jobs\n", "", "config.yaml:");
    wrong("backtest:\n  require_volume: maybe\n", "",
          "config.yaml:2: backtest.require_volume: `maybe` is neither");
    wrong("jobs: 2\n  - x: {\n", "", "config.yaml:");
    wrong("a: &a [x]\njobs: *a\n", "", "config.yaml:");
}

TEST(a_wrong_variable_is_named)
{
    setenv("HARRIER_BACKTEST_FILL", "never", 1);
    wrong(NULL, "", "HARRIER_BACKTEST_FILL: `never` is not one of: open close");
    setenv("HARRIER_BACKTEST_FILL", "", 1); /* empty is not set */
    wrong(NULL, "--jobs x", "--jobs");
    unsetenv("HARRIER_BACKTEST_FILL");
}

TEST(an_empty_file_changes_nothing_and_a_named_one_must_be_there)
{
    struct trial trial;

    CHECK_OK(start(&trial, "", ""));
    finish(&trial);
    CHECK_OK(start(&trial, "# nothing\n\n", ""));
    CHECK(conf_number(trial.conf, OPT_CASH) == 10000);
    finish(&trial);
    setenv("HARRIER_CONFIG", "/nowhere/config.yaml", 1);
    CHECK_STATUS(start(&trial, NULL, ""), STATUS_MISSING);
    CHECK_CONTAINS(trial.err.text, "/nowhere/config.yaml");
    setenv("HARRIER_CONFIG", "/tmp", 1);
    CHECK_STATUS(start(&trial, NULL, ""), STATUS_USAGE);
    CHECK_CONTAINS(trial.err.text, "/tmp is a directory");
    unsetenv("HARRIER_CONFIG");
}

/* Reads the file through a world whose n-th call fails, then with the n-th allocation failing. */
TEST(every_failing_call_is_a_sentence_and_no_leak)
{
    struct trial trial;
    struct env_fault fault;
    long nth;

    CHECK_OK(start(&trial, "jobs: 2\nbacktest:\n  cash: 7\n", ""));
    finish(&trial);
    env_fault_init(&fault, env_posix());
    for (nth = 1; nth < 50; nth++) {
        env_fault_arm(&fault, nth, false, 5 /* EIO */);
        if (conf_open(&trial.conf, &fault.env, &trial.err) == STATUS_OK)
            break;
        CHECK_CONTAINS(trial.err.text, "the configuration cannot be read: ");
    }
    CHECK(nth > 2 && fault.failed == 0);
    CHECK(conf_number(trial.conf, OPT_CASH) == 7);
    finish(&trial);
    for (nth = 1; nth < 500; nth++) {
        enum status status;

        mem_fail_at(nth, 0);
        status = conf_open(&trial.conf, env_posix(), &trial.err);
        mem_fail_at(0, 0);
        if (status == STATUS_OK)
            break;
        CHECK_STATUS(status, STATUS_MEMORY);
    }
    CHECK(nth > 5 && nth < 500);
    finish(&trial);
}
