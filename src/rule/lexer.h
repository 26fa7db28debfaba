/* lexer: the words and signs of a rule file, one at a time, so that a file of any length needs no
 * memory and a `def` is read again from a copied lexer wherever it is called.
 *
 * A line goes on inside brackets, after a binary operator, a comma, `and` or `or`, and when the
 * next line begins with `and` or `or`; the lexer gives no TOKEN_NEWLINE there.  A line that begins
 * with a statement's word is never taken as the rest of another, so that one bracket left open
 * spoils one statement. */
#ifndef HARRIER_RULE_LEXER_H
#define HARRIER_RULE_LEXER_H

#include "base/base.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_ROUND_OPEN,
    TOKEN_ROUND_CLOSE,
    TOKEN_SQUARE_OPEN,
    TOKEN_SQUARE_CLOSE,
    TOKEN_CURLY_OPEN,
    TOKEN_CURLY_CLOSE,
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_RANGE,
    TOKEN_ASSIGN,
    TOKEN_PERCENT,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_DIVIDE, /* binary operators from here … */
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_EQUAL,
    TOKEN_UNEQUAL, /* … to here */
    TOKEN_WRONG    /* `wrong` says why */
};

enum word { /* WORD_NONE: an ordinary name */
            WORD_NONE,
#define WORD(id, text, kind) WORD_##id,
#include "rule/word.def"
#undef WORD
            WORD_COLUMN, /* + enum rule_column */
            WORDS_MAX = WORD_COLUMN + 64
};

enum word_kind { WORD_IS_NAME, WORD_IS_STATEMENT, WORD_IS_OPERATOR, WORD_IS_PRICE, WORD_IS_COLUMN };

/* Where something is written. */
struct place {
    struct text text;
    int line, column; /* from 1; columns are characters, not bytes */
};

enum { WRONG_BYTES = 160 };

struct token {
    enum token_kind kind;
    enum word word; /* of a TOKEN_NAME */
    double number;  /* of a TOKEN_NUMBER; a date: UTC milliseconds */
    bool date;
    struct place place; /* TOKEN_TEXT: with its quotes */
    char wrong[WRONG_BYTES];
};

struct lexer {
    struct text source;
    size_t at;
    int line, column;
    int depth;  /* of brackets */
    bool joins; /* the token before lets the line go on */
};

void lexer_init(struct lexer *lexer, struct text source);
void lexer_next(struct lexer *lexer, struct token *token);

enum word word_find(struct text text);
enum word_kind word_kind(enum word word);
const char *word_text(enum word word);

#endif
