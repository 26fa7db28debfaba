/* The lexer.  It looks at every byte once, but for the blanks before a line that may go on. */
#include "rule/lexer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/rule.h"

static const struct {
    const char *text;
    enum word_kind kind;
} words[] = {
    [WORD_NONE] = {"", WORD_IS_NAME},
#define WORD(id, text, kind) [WORD_##id] = {text, WORD_IS_##kind},
#include "rule/word.def"
#undef WORD
#define COLUMN_ROW(id, word, title) [WORD_COLUMN + COLUMN_##id] = {word, WORD_IS_COLUMN},
#include "rule/column.def"
#undef COLUMN_ROW
};

enum word word_find(struct text text)
{
    for (size_t i = 1; i < ARRAY_COUNT(words); i++)
        if (text.at[0] == words[i].text[0] && text_is(text, words[i].text))
            return (enum word)i;
    return WORD_NONE;
}

enum word_kind word_kind(enum word word)
{
    return words[word].kind;
}

const char *word_text(enum word word)
{
    return words[word].text;
}

void lexer_init(struct lexer *lexer, struct text source)
{
    *lexer = (struct lexer){.source = source, .line = 1, .column = 1};
    if (source.length >= 3 && memcmp(source.at, "\xef\xbb\xbf", 3) == 0)
        lexer->at = 3; /* a byte order mark */
}

/* ---- characters ------------------------------------------------------ */

static int peek(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;

    return at < lexer->source.length ? (unsigned char)lexer->source.at[at] : -1;
}

static void step(struct lexer *lexer)
{
    int c = peek(lexer, 0);

    lexer->at++;
    if (c == '\n') {
        lexer->line++;
        lexer->column = 1;
    } else if ((c & 0xc0) != 0x80) { /* the second and later bytes of a character count nothing */
        lexer->column++;
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_line(struct lexer *lexer)
{
    while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n')
        step(lexer);
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);

        if (c == '#')
            skip_line(lexer);
        else if (c == ' ' || c == '\t' || c == '\r' || c == '\f')
            step(lexer);
        else
            return;
    }
}

static enum word word_ahead(const struct lexer *lexer)
{
    size_t length = 0;

    if (!is_letter(peek(lexer, 0)))
        return WORD_NONE;
    while (is_letter(peek(lexer, length)) || is_digit(peek(lexer, length)))
        length++;
    return word_find((struct text){lexer->source.at + lexer->at, length});
}

/* At a line's end: goes to the next line that says something, and tells whether it is the rest of
 * this. */
static bool line_goes_on(struct lexer *lexer)
{
    enum word word;

    while (peek(lexer, 0) == '\n') {
        step(lexer);
        skip_blanks(lexer);
    }
    if (peek(lexer, 0) < 0)
        return false;
    word = word_ahead(lexer);
    if (word_kind(word) == WORD_IS_STATEMENT) {
        lexer->depth = 0;
        return false;
    }
    return lexer->depth > 0 || lexer->joins || word == WORD_AND || word == WORD_OR;
}

/* ---- tokens ---------------------------------------------------------- */

static void scan_digits(struct lexer *lexer)
{
    while (is_digit(peek(lexer, 0)) ||
           (peek(lexer, 0) == '_' && is_digit(peek(lexer, 1)) && lexer->at > 0 &&
            is_digit((unsigned char)lexer->source.at[lexer->at - 1])))
        step(lexer);
}

static bool is_date(const struct lexer *lexer)
{
    for (size_t i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? peek(lexer, i) != '-' : !is_digit(peek(lexer, i)))
            return false;
    return !is_digit(peek(lexer, 10)) && !is_letter(peek(lexer, 10));
}

static void scan_date(struct lexer *lexer, struct token *token)
{
    int64_t time_ms;
    struct error err;
    struct text text = {lexer->source.at + lexer->at, 10};

    for (int i = 0; i < 10; i++)
        step(lexer);
    if (time_parse(&time_ms, text, 0, &err) == STATUS_OK) {
        token->number = (double)time_ms;
        token->date = true;
        return;
    }
    token->kind = TOKEN_WRONG;
    snprintf(token->wrong, sizeof token->wrong, "`%.10s` is not a date of the calendar", text.at);
}

static void wrong(struct token *token, const char *sentence)
{
    token->kind = TOKEN_WRONG;
    snprintf(token->wrong, sizeof token->wrong, "%s", sentence);
}

/* Digits, optionally a dot and digits, optionally an exponent.  `1..5` is 1, `..`, 5. */
static void scan_number(struct lexer *lexer, struct token *token)
{
    char plain[64];
    size_t begin = lexer->at, length = 0;

    token->kind = TOKEN_NUMBER;
    if (is_date(lexer)) {
        scan_date(lexer, token);
        return;
    }
    scan_digits(lexer);
    if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        step(lexer);
        scan_digits(lexer);
    } else if (peek(lexer, 0) == '.' && peek(lexer, 1) != '.') {
        step(lexer);
        wrong(token, "a number has digits on both sides of its dot: write `5` or `5.0`");
        return;
    }
    if (peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') {
        size_t sign = peek(lexer, 1) == '-' || peek(lexer, 1) == '+';

        if (is_digit(peek(lexer, 1 + sign))) {
            for (size_t i = 0; i < 1 + sign; i++)
                step(lexer);
            scan_digits(lexer);
        }
    }
    if (is_letter(peek(lexer, 0))) {
        while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
            step(lexer);
        wrong(token,
              "a number and a name run together; a name begins with a letter, and `_` stands "
              "between digits only");
        return;
    }
    for (size_t i = begin; i < lexer->at; i++)
        if (lexer->source.at[i] != '_' && length < sizeof plain)
            plain[length++] = lexer->source.at[i];
    if (length == sizeof plain || !text_to_double((struct text){plain, length}, &token->number) ||
        !isfinite(token->number))
        wrong(token, "the number is too long or too large");
}

static void scan_text(struct lexer *lexer, struct token *token)
{
    token->kind = TOKEN_TEXT;
    step(lexer);
    while (peek(lexer, 0) != '"') {
        if (peek(lexer, 0) < 0 || peek(lexer, 0) == '\n') {
            wrong(token, "the text has no closing `\"` on its line");
            return;
        }
        step(lexer);
    }
    step(lexer);
}

static const struct {
    char text[3];
    enum token_kind kind;
    int depth; /* of brackets: what the sign adds */
} signs[] = {
    /* longer ones before their beginnings */
    {"..", TOKEN_RANGE},         {"<=", TOKEN_LESS_EQUAL},
    {">=", TOKEN_GREATER_EQUAL}, {"==", TOKEN_EQUAL},
    {"!=", TOKEN_UNEQUAL},       {"<", TOKEN_LESS},
    {">", TOKEN_GREATER},        {"=", TOKEN_ASSIGN},
    {"(", TOKEN_ROUND_OPEN, 1},  {")", TOKEN_ROUND_CLOSE, -1},
    {"[", TOKEN_SQUARE_OPEN, 1}, {"]", TOKEN_SQUARE_CLOSE, -1},
    {"{", TOKEN_CURLY_OPEN, 1},  {"}", TOKEN_CURLY_CLOSE, -1},
    {",", TOKEN_COMMA},          {".", TOKEN_DOT},
    {"%", TOKEN_PERCENT},        {"+", TOKEN_PLUS},
    {"-", TOKEN_MINUS},          {"*", TOKEN_TIMES},
    {"/", TOKEN_DIVIDE},
};

/* What other languages write, and how it is said here. */
static const struct {
    const char *text, *sentence;
} foreign[] = {
    {"&&", "`&&` is not a word of rules; write `and`"},
    {"||", "`||` is not a word of rules; write `or`"},
    {"**", "`**` is not an operator of rules; write pow(x, y)"},
    {":=", "`:=` is not an operator of rules; a value is named once, with `=`"},
    {"//", "`//` does not begin a comment; `#` does"},
    {"!", "`!` is not a word of rules; write `not`"},
    {"^", "`^` is not an operator of rules; write pow(x, y)"},
    {"?", "`?` is not an operator of rules; write if(condition, a, b)"},
    {";", "`;` is not needed: a statement ends with its line"},
    {"'", "a text stands in double quotes"},
};

static bool begins_with(const struct lexer *lexer, const char *text)
{
    size_t length = strlen(text);

    return lexer->source.length - lexer->at >= length &&
           memcmp(lexer->source.at + lexer->at, text, length) == 0;
}

static void scan_foreign(struct lexer *lexer, struct token *token)
{
    size_t begin = lexer->at;

    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++)
        if (begins_with(lexer, foreign[i].text)) {
            for (size_t k = strlen(foreign[i].text); k > 0; k--)
                step(lexer);
            wrong(token, foreign[i].sentence);
            return;
        }
    step(lexer);
    while (peek(lexer, 0) >= 0 && (peek(lexer, 0) & 0xc0) == 0x80)
        step(lexer);
    token->kind = TOKEN_WRONG;
    snprintf(token->wrong, sizeof token->wrong, "`%.*s` has no meaning in a rule",
             (int)(lexer->at - begin), lexer->source.at + begin);
}

static void scan_sign(struct lexer *lexer, struct token *token)
{
    bool is_foreign = begins_with(lexer, "**") || begins_with(lexer, "//");

    for (size_t i = 0; !is_foreign && i < ARRAY_COUNT(signs); i++)
        if (begins_with(lexer, signs[i].text)) {
            for (size_t k = strlen(signs[i].text); k > 0; k--)
                step(lexer);
            token->kind = signs[i].kind;
            lexer->depth = MAX(lexer->depth + signs[i].depth, 0);
            return;
        }
    scan_foreign(lexer, token);
}

static bool lets_line_go_on(const struct token *token)
{
    return (token->kind >= TOKEN_PLUS && token->kind <= TOKEN_UNEQUAL) ||
           token->kind == TOKEN_COMMA || token->word == WORD_AND || token->word == WORD_OR;
}

void lexer_next(struct lexer *lexer, struct token *token)
{
    size_t begin;
    int c;

    token->kind = TOKEN_END;
    token->word = WORD_NONE;
    token->number = 0;
    token->date = false;
    skip_blanks(lexer);
    token->place = (struct place){{lexer->source.at + lexer->at, 0}, lexer->line, lexer->column};
    if (peek(lexer, 0) == '\n') {
        if (!line_goes_on(lexer)) {
            token->kind = TOKEN_NEWLINE;
            lexer->joins = false;
            return;
        }
        token->place = (struct place){
            {lexer->source.at + lexer->at, 0}, lexer->line, lexer->column};
    }

    begin = lexer->at;
    c = peek(lexer, 0);
    if (c < 0)
        return;
    if (is_letter(c)) {
        while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
            step(lexer);
        token->kind = TOKEN_NAME;
        token->word = word_find((struct text){lexer->source.at + begin, lexer->at - begin});
    } else if (is_digit(c)) {
        scan_number(lexer, token);
    } else if (c == '.' && is_digit(peek(lexer, 1))) {
        step(lexer);
        wrong(token, "a number has digits on both sides of its dot: write `0.5`");
    } else if (c == '"') {
        scan_text(lexer, token);
    } else {
        scan_sign(lexer, token);
    }
    token->place.text.length = lexer->at - begin;
    lexer->joins = lets_line_go_on(token);
}
