/* What each kernel of the language means where no bars are needed: its value on numbers, its
 * look-back. */
#include <math.h>

#include "rule/graph.h"

bool kernel_is_pointwise(enum kernel_id kernel)
{
    switch (kernel) {
    case KERNEL_ADD:
    case KERNEL_SUB:
    case KERNEL_MUL:
    case KERNEL_DIV:
    case KERNEL_NEG:
    case KERNEL_ABS:
    case KERNEL_SIGN:
    case KERNEL_FLOOR:
    case KERNEL_CEIL:
    case KERNEL_ROUND:
    case KERNEL_LOG:
    case KERNEL_EXP:
    case KERNEL_SQRT:
    case KERNEL_POW:
    case KERNEL_LARGER:
    case KERNEL_SMALLER:
    case KERNEL_NZ:
    case KERNEL_IF:
    case KERNEL_GT:
    case KERNEL_GE:
    case KERNEL_LT:
    case KERNEL_LE:
    case KERNEL_EQ:
    case KERNEL_NE:
    case KERNEL_ISNAN:
    case KERNEL_AND:
    case KERNEL_OR:
    case KERNEL_NOT:
        return true;
    default:
        return false;
    }
}

static double number_of_one(enum kernel_id kernel, double a)
{
    switch (kernel) {
    case KERNEL_NEG:
        return -a;
    case KERNEL_ABS:
        return fabs(a);
    case KERNEL_SIGN:
        return isnan(a) ? a : (double)((a > 0) - (a < 0));
    case KERNEL_FLOOR:
        return floor(a);
    case KERNEL_CEIL:
        return ceil(a);
    case KERNEL_ROUND:
        return round(a);
    case KERNEL_LOG:
        return a > 0 ? log(a) : NAN;
    case KERNEL_EXP:
        return exp(a);
    case KERNEL_SQRT:
        return a >= 0 ? sqrt(a) : NAN;
    default:
        return isnan(a); /* KERNEL_ISNAN */
    }
}

double kernel_number(enum kernel_id kernel, const double *in, const double *when)
{
    double a = in[0], b = in[1];
    bool undefined = isnan(a) || isnan(b);

    switch (kernel) {
    case KERNEL_ADD:
        return a + b;
    case KERNEL_SUB:
        return a - b;
    case KERNEL_MUL:
        return a * b;
    case KERNEL_DIV:
        return b == 0 ? NAN : a / b;
    case KERNEL_POW:
        return undefined || (a == 0 && b < 0) ? NAN : pow(a, b); /* 1 / 0 */
    case KERNEL_LARGER:
        return undefined ? NAN : a > b ? a : b;
    case KERNEL_SMALLER:
        return undefined ? NAN : a < b ? a : b;
    case KERNEL_NZ:
        return isnan(a) ? b : a;
    case KERNEL_IF:
        return when[0] != 0 ? a : b;
    case KERNEL_GT:
        return a > b;
    case KERNEL_GE:
        return a >= b;
    case KERNEL_LT:
        return a < b;
    case KERNEL_LE:
        return a <= b;
    case KERNEL_EQ:
        return a == b;
    case KERNEL_NE:
        return !undefined && a != b;
    case KERNEL_AND:
        return when[0] != 0 && when[1] != 0;
    case KERNEL_OR:
        return when[0] != 0 || when[1] != 0;
    case KERNEL_NOT:
        return when[0] == 0;
    default:
        return number_of_one(kernel, a);
    }
}

static int largest_of(const int *nodes, int count, const int *of)
{
    int largest = 0;

    for (int i = 0; i < count; i++)
        largest = MAX(largest, of[nodes[i]]);
    return largest;
}

/* Bars that the op itself adds to the look-back of its inputs. */
static double added_lookback(const struct node *op, const double *parameters)
{
    switch (op->kernel) {
    case KERNEL_LAG:
    case KERNEL_LAG_CONDITION:
    case KERNEL_RISING:
    case KERNEL_FALLING:
        return parameters[0];
    case KERNEL_COUNT:
        return parameters[0] - 1;
    case KERNEL_PIVOTHIGH:
    case KERNEL_PIVOTLOW:
        return parameters[0] + parameters[1];
    case KERNEL_CROSSOVER:
    case KERNEL_CROSSUNDER:
        return 1;
    default:
        return op->indicator && op->indicator->lookback ? op->indicator->lookback(parameters) : 0;
    }
}

int op_lookback(const struct node *op, const int *of, const double *parameters)
{
    const struct kernel_row *row = &kernel_rows[op->kernel];
    int inputs = MAX(largest_of(op->input, row->inputs, of),
                     largest_of(op->when, row->conditions, of));
    double sum;

    if (op->kernel == KERNEL_ISNAN)
        return 0;
    if (op->kernel == KERNEL_NZ)
        return MIN(of[op->input[0]], of[op->input[1]]);
    sum = inputs + added_lookback(op, parameters);
    return sum <= RULE_LOOKBACK_MAX ? (int)MAX(sum, 0) : RULE_LOOKBACK_MAX + 1;
}
