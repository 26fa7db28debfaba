/* Liveness, registers, state and the block loop of programs. */
#include "rule/program_bind.h"

#include <string.h>

enum value_kind { VALUE_COLUMN, VALUE_ROW, VALUE_OUTPUT };

struct draft_value {
    enum value_kind kind;
    bool condition, kept;
    int step;          /* VALUE_OUTPUT: who gives it */
    int last_reader;   /* step; -1: nobody */
    const double *row; /* VALUE_ROW */
    enum rule_column column;
    size_t at; /* once bound: bytes from the begin of the registers, words or kept area */
};

struct draft_step {
    struct draft_op op;
    bool spread;
    int first_value; /* its outputs follow one another */
    int from[LANES_MAX], lane[LANES_MAX];
};

/* What a spread reads: a lane of some register a lane. */
struct spread {
    const double *number[LANES_MAX];
    const uint64_t *word[LANES_MAX];
    int lanes;
    bool same; /* one lane for all */
};

struct step {
    void (*run)(struct op *op, size_t bar_count);
    struct op op;
};

/* A pointer into the kept area, to be set when the area moves. */
struct kept_pointer {
    void *pointer; /* of a double * or uint64_t * */
    size_t at;
};

struct program_ops {
    size_t step_count, pointer_count, kept_bytes;
    struct step *steps;
    void (**starts)(struct op *op); /* NULL: nothing to do */
    struct kept_pointer *pointers;
    unsigned char *registers, *words, *kept;
};

/* ---- drafting ------------------------------------------------------------------------------- */

void draft_init(struct draft *draft, const struct kernels *kernels)
{
    *draft = (struct draft){.kernels = kernels};
    for (int c = 0; c < RULE_COLUMNS; c++)
        draft->column[c] = VALUE_NONE;
}

void draft_deinit(struct draft *draft)
{
    mem_free(draft->values);
    mem_free(draft->steps);
}

static int value_add(struct draft *draft, const struct draft_value *value)
{
    if (mem_grow((void **)&draft->values, &draft->value_capacity, draft->value_count + 1,
                 sizeof *value)) {
        draft->no_memory = true;
        return 0;
    }
    draft->values[draft->value_count] = *value;
    return (int)draft->value_count++;
}

int draft_column(struct draft *draft, enum rule_column column)
{
    if (draft->column[column] == VALUE_NONE)
        draft->column[column] = value_add(
            draft,
            &(struct draft_value){.kind = VALUE_COLUMN, .column = column, .last_reader = -1});
    return draft->column[column];
}

int draft_row(struct draft *draft, const double row[LANES_MAX])
{
    return value_add(draft,
                     &(struct draft_value){.kind = VALUE_ROW, .row = row, .last_reader = -1});
}

static struct draft_step *step_add(struct draft *draft, int outputs, bool condition)
{
    if (mem_grow((void **)&draft->steps, &draft->step_capacity, draft->step_count + 1,
                 sizeof *draft->steps))
        draft->no_memory = true;
    int first = (int)draft->value_count, step = (int)draft->step_count;
    for (int i = 0; i < outputs; i++)
        value_add(draft, &(struct draft_value){.kind = VALUE_OUTPUT,
                                               .step = step,
                                               .condition = condition,
                                               .last_reader = -1});
    if (draft->no_memory)
        return NULL;
    draft->step_count++;
    draft->steps[step] = (struct draft_step){.first_value = first};
    return &draft->steps[step];
}

static void read_by(struct draft *draft, int value, const struct draft_step *step)
{
    draft->values[value].last_reader = (int)(step - draft->steps);
}

int draft_op(struct draft *draft, const struct draft_op *op)
{
    const struct kernel_row *row = &kernel_rows[op->kernel];
    struct draft_step *step = step_add(draft, row->gives_condition ? 1 : row->outputs,
                                       row->gives_condition);

    if (!step)
        return 0;
    step->op = *op;
    for (int i = 0; i < row->inputs; i++)
        read_by(draft, op->in[i], step);
    for (int i = 0; i < row->conditions; i++)
        read_by(draft, op->when[i], step);
    return step->first_value;
}

int draft_output(const struct draft *draft, int op, int output)
{
    return draft->no_memory ? 0 : draft->steps[draft->values[op].step].first_value + output;
}

int draft_spread(struct draft *draft, const int from[LANES_MAX], const int lane[LANES_MAX])
{
    if (draft->no_memory)
        return 0;
    struct draft_step *step = step_add(draft, 1, draft->values[from[0]].condition);

    if (!step)
        return 0;
    step->spread = true;
    for (int l = 0; l < LANES_MAX; l++) {
        step->from[l] = from[l];
        step->lane[l] = lane[l];
        read_by(draft, from[l], step);
    }
    return step->first_value;
}

void draft_keep(struct draft *draft, int value)
{
    if (!draft->no_memory)
        draft->values[value].kept = true;
}

/* ---- where values live ---------------------------------------------------------------------- */

struct layout {
    size_t lanes, registers, register_count, free_count;
    int *free_registers; /* a stack */
    size_t words_bytes, kept_bytes;
};

static void place(struct layout *layout, struct draft_value *value)
{
    size_t *area = value->kept ? &layout->kept_bytes : &layout->words_bytes;

    if (value->condition) {
        value->at = *area;
        *area += MAX(sizeof(uint64_t) * layout->lanes, (size_t)64);
    } else if (value->kept) {
        value->at = *area;
        *area += register_bytes((int)layout->lanes);
    } else {
        size_t number = layout->free_count ? (size_t)layout->free_registers[--layout->free_count]
                                           : layout->register_count++;
        value->at = number * register_bytes((int)layout->lanes);
    }
}

static void release(struct layout *layout, const struct draft_value *value)
{
    if (value->kind == VALUE_OUTPUT && !value->condition && !value->kept)
        layout->free_registers[layout->free_count++] = (int)(value->at /
                                                             register_bytes((int)layout->lanes));
}

/* Gives back what this step reads last.  A value that it reads twice is given back once. */
static void release_read(struct draft *draft, struct layout *layout, const int values[], int count,
                         int step)
{
    for (int i = 0; i < count; i++) {
        struct draft_value *value = &draft->values[values[i]];

        if (value->last_reader == step) {
            release(layout, value);
            value->last_reader = -1;
        }
    }
}

static int output_count(const struct draft_step *step)
{
    const struct kernel_row *row = &kernel_rows[step->op.kernel];

    return step->spread || row->gives_condition ? 1 : row->outputs;
}

static enum status lay_out(struct draft *draft, struct layout *layout, struct error *err)
{
    *layout = (struct layout){.lanes = (size_t)draft->kernels->lanes};
    layout->free_registers = mem_zero(draft->value_count, sizeof(int));
    if (!layout->free_registers)
        return fail(err, STATUS_MEMORY, "no memory for a program of %zu values",
                    draft->value_count);
    for (size_t s = 0; s < draft->step_count; s++) {
        struct draft_step *step = &draft->steps[s];
        struct draft_value *outputs = &draft->values[step->first_value];
        const struct kernel_row *row = &kernel_rows[step->op.kernel];

        /* Outputs first: an output is never an input of the same op. */
        for (int i = 0; i < output_count(step); i++)
            place(layout, &outputs[i]);
        for (int i = 0; i < output_count(step); i++)
            if (outputs[i].last_reader < 0)
                release(layout, &outputs[i]); /* nobody reads it: scratch */
        if (step->spread) {
            release_read(draft, layout, step->from, LANES_MAX, (int)s);
        } else {
            release_read(draft, layout, step->op.in, row->inputs, (int)s);
            release_read(draft, layout, step->op.when, row->conditions, (int)s);
        }
    }
    mem_free(layout->free_registers);
    return STATUS_OK;
}

/* ---- binding -------------------------------------------------------------------------------- */

static void spread_numbers(struct op *op, size_t bar_count)
{
    const struct spread *spread = op->state;
    double *out = op->out[0];
    const size_t lanes = (size_t)spread->lanes;

    if (spread->same) {
        const double *from = spread->number[0];
        for (size_t t = 0; t < bar_count; t++)
            for (size_t l = 0; l < lanes; l++)
                out[t * lanes + l] = from[t * lanes];
        return;
    }
    for (size_t l = 0; l < lanes; l++) {
        const double *from = spread->number[l];
        for (size_t t = 0; t < bar_count; t++)
            out[t * lanes + l] = from[t * lanes];
    }
}

static void spread_words(struct op *op, size_t bar_count)
{
    const struct spread *spread = op->state;

    (void)bar_count;
    for (int l = 0; l < spread->lanes; l++)
        op->condition[l] = *spread->word[l];
}

struct binder {
    struct draft *draft;
    struct program *program;
    struct program_ops *ops;
    struct arena *arena;
};

/* Sets a pointer to a value's memory, and notes it where that memory moves. */
static void point(struct binder *binder, void *pointer, int number, size_t lane)
{
    const struct draft_value *value = &binder->draft->values[number];
    struct program_ops *ops = binder->ops;
    size_t at = value->at + lane * 8;
    void *address;

    if (value->kind == VALUE_COLUMN)
        address = binder->program->column[value->column] + lane;
    else if (value->kept)
        address = ops->kept + at;
    else
        address = (value->condition ? ops->words : ops->registers) + at;
    memcpy(pointer, &address, sizeof address);
    if (value->kind == VALUE_OUTPUT && value->kept)
        ops->pointers[ops->pointer_count++] = (struct kept_pointer){pointer, at};
}

static void bind_input(struct binder *binder, struct operand *operand, int number)
{
    const struct draft_value *value = &binder->draft->values[number];

    if (value->kind == VALUE_ROW) {
        *operand = (struct operand){value->row, 0};
        return;
    }
    operand->step = (size_t)binder->program->lanes;
    point(binder, &operand->at, number, 0);
}

static enum status bind_spread(struct binder *binder, const struct draft_step *from,
                               struct step *step)
{
    const struct draft_value *value = &binder->draft->values[from->first_value];
    struct spread *spread = ARENA_NEW(binder->arena, struct spread);

    if (!spread)
        return STATUS_MEMORY;
    spread->lanes = binder->program->lanes;
    spread->same = true;
    for (int l = 0; l < spread->lanes; l++) {
        void *pointer = value->condition ? (void *)&spread->word[l] : (void *)&spread->number[l];
        point(binder, pointer, from->from[l], (size_t)from->lane[l]);
        spread->same &= from->from[l] == from->from[0] && from->lane[l] == from->lane[0];
    }
    step->op.state = spread;
    step->run = value->condition ? spread_words : spread_numbers;
    if (value->condition)
        point(binder, &step->op.condition, from->first_value, 0);
    else
        point(binder, &step->op.out[0], from->first_value, 0);
    return STATUS_OK;
}

static void bind_op(struct binder *binder, const struct draft_step *from, struct step *step)
{
    const struct kernel_row *row = &kernel_rows[from->op.kernel];
    struct op *op = &step->op;

    op->kernel = from->op.kernel;
    op->holes = from->op.holes;
    for (int i = 0; i < row->inputs; i++)
        bind_input(binder, &op->in[i], from->op.in[i]);
    for (int i = 0; i < row->conditions; i++)
        point(binder, &op->when[i], from->op.when[i], 0);
    for (int i = 0; i < row->parameters; i++)
        op->parameter[i] = from->op.parameter[i];
    if (row->gives_condition)
        point(binder, &op->condition, from->first_value, 0);
    for (int i = 0; i < row->outputs && !row->gives_condition; i++)
        point(binder, &op->out[i], from->first_value + i, 0);
    step->run = binder->draft->kernels->functions[op->kernel]->run;
}

/* State of all ops in one piece, so that a live group touches few pages; none a multiple of 4 KiB
 * apart. */
static enum status bind_state(struct binder *binder)
{
    const struct draft *draft = binder->draft;
    struct program_ops *ops = binder->ops;

    for (size_t s = 0; s < ops->step_count; s++) {
        if (draft->steps[s].spread)
            continue;
        struct op *op = &ops->steps[s].op;
        const struct kernel_functions *functions = draft->kernels->functions[op->kernel];
        size_t bytes = functions->state_bytes ? (functions->state_bytes(op) + 63) / 64 * 64 : 0;

        if (bytes) {
            op->state = arena_alloc(binder->arena, bytes % 4096 ? bytes : bytes + 64);
            if (!op->state)
                return STATUS_MEMORY;
        }
        ops->starts[s] = functions->start;
    }
    return STATUS_OK;
}

/* How many pointers into the kept area there can be at most. */
static size_t count_pointers(const struct draft *draft)
{
    size_t count = 0;

    for (size_t s = 0; s < draft->step_count; s++)
        count += draft->steps[s].spread
                     ? LANES_MAX + 1
                     : KERNEL_INPUTS_MAX + KERNEL_CONDITIONS_MAX + KERNEL_OUTPUTS_MAX;
    return count;
}

static enum status bind_columns(struct binder *binder)
{
    struct program *program = binder->program;

    program->columns = 0;
    for (int c = 0; c < RULE_COLUMNS; c++) {
        program->column[c] = NULL;
        if (binder->draft->column[c] == VALUE_NONE)
            continue;
        program->columns |= 1u << c;
        program->column[c] = arena_alloc(binder->arena, register_bytes(program->lanes));
        if (!program->column[c])
            return STATUS_MEMORY;
    }
    return STATUS_OK;
}

static enum status bind_steps(struct binder *binder, const struct layout *layout)
{
    struct draft *draft = binder->draft;
    struct arena *arena = binder->arena;
    struct program_ops *ops = ARENA_NEW(arena, struct program_ops);

    if (!ops)
        return STATUS_MEMORY;
    binder->ops = binder->program->ops = ops;
    ops->step_count = draft->step_count;
    ops->kept_bytes = layout->kept_bytes;
    ops->steps = ARENA_ARRAY(arena, struct step, draft->step_count);
    ops->starts = arena_alloc(arena, sizeof *ops->starts * draft->step_count);
    ops->pointers = ARENA_ARRAY(arena, struct kept_pointer, count_pointers(draft));
    ops->registers = arena_alloc(arena,
                                 layout->register_count * register_bytes((int)layout->lanes));
    ops->words = arena_alloc(arena, MAX(layout->words_bytes, (size_t)64));
    ops->kept = arena_alloc(arena, MAX(layout->kept_bytes, (size_t)64));
    if (!ops->steps || !ops->starts || !ops->pointers || !ops->registers || !ops->words ||
        !ops->kept)
        return STATUS_MEMORY;
    TRY(bind_columns(binder));
    for (size_t s = 0; s < draft->step_count; s++) {
        if (draft->steps[s].spread)
            TRY(bind_spread(binder, &draft->steps[s], &ops->steps[s]));
        else
            bind_op(binder, &draft->steps[s], &ops->steps[s]);
    }
    return bind_state(binder);
}

enum status draft_bind(struct draft *draft, struct program *program, struct arena *arena,
                       struct error *err)
{
    struct binder binder = {.draft = draft, .program = program, .arena = arena};
    struct layout layout;

    if (draft->no_memory)
        return fail(err, STATUS_MEMORY, "no memory for a program of %zu steps", draft->step_count);
    program->lanes = draft->kernels->lanes;
    TRY(lay_out(draft, &layout, err));
    if (bind_steps(&binder, &layout) != STATUS_OK)
        return fail(err, STATUS_MEMORY,
                    "the rule needs more memory than the %zu MiB set aside for one group of lanes",
                    arena->bytes >> 20);
    return STATUS_OK;
}

/* ---- reading what was bound ----------------------------------------------------------------- */

size_t draft_kept_at(const struct draft *draft, int value)
{
    ASSERT(draft->values[value].kept && draft->values[value].kind == VALUE_OUTPUT);
    return draft->values[value].at;
}

struct operand draft_operand(const struct draft *draft, const struct program *program, int number)
{
    const struct draft_value *value = &draft->values[number];

    if (value->kind == VALUE_ROW)
        return (struct operand){value->row, 0};
    if (value->kind == VALUE_COLUMN)
        return (struct operand){program->column[value->column], (size_t)program->lanes};
    return (struct operand){(const double *)(program->ops->kept + draft_kept_at(draft, number)),
                            (size_t)program->lanes};
}

const uint64_t *draft_words(const struct draft *draft, const struct program *program, int number)
{
    return (const uint64_t *)(program->ops->kept + draft_kept_at(draft, number));
}

size_t program_kept_bytes(const struct program *program)
{
    return program->ops->kept_bytes;
}

void program_keep_at(struct program *program, void *area)
{
    struct program_ops *ops = program->ops;

    for (size_t i = 0; i < ops->pointer_count; i++) {
        void *address = (unsigned char *)area + ops->pointers[i].at;
        memcpy(ops->pointers[i].pointer, &address, sizeof address);
    }
}

/* ---- running -------------------------------------------------------------------------------- */

void program_start(struct program *program)
{
    struct program_ops *ops = program->ops;

    for (size_t s = 0; s < ops->step_count; s++)
        if (ops->starts[s])
            ops->starts[s](&ops->steps[s].op);
}

void program_block(struct program *program, size_t bar_count)
{
    const struct program_ops *ops = program->ops;

    for (struct step *step = ops->steps, *end = step + ops->step_count; step != end; step++)
        step->run(&step->op, bar_count);
}
