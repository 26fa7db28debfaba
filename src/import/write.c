/* write: bars as CSV, as fast as numbers can be written. */
#include "import/import.h"

#include <math.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 18, ROW_BYTES_MAX = 8 * DOUBLE_TEXT_BYTES };

void bars_csv_header(struct buffer *buffer)
{
    buffer_add_text(buffer, "time,open,high,low,close,volume");
}

void bars_csv_number(struct buffer *buffer, double number)
{
    if (!isnan(number))
        buffer_add_double(buffer, number);
}

static char *put_digits(char *at, unsigned number, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

/* What time_to_text writes of whole seconds, without printf: times are a third of an export's work.
 */
static size_t put_time(char *text, int64_t time_ms, bool day_only)
{
    struct date date = date_of_ms(time_ms);
    int64_t in_day = ((time_ms % DAY_MS) + DAY_MS) % DAY_MS;
    unsigned second = (unsigned)(in_day / 1000);
    char *at = text;

    if (in_day % 1000 != 0)
        return time_to_text(time_ms, day_only, text);
    at = put_digits(at, (unsigned)date.year, 4);
    *at++ = '-';
    at = put_digits(at, (unsigned)date.month, 2);
    *at++ = '-';
    at = put_digits(at, (unsigned)date.day, 2);
    if (day_only)
        return (size_t)(at - text);
    *at++ = 'T';
    at = put_digits(at, second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second % 60, 2);
    *at++ = 'Z';
    return (size_t)(at - text);
}

void bars_csv_row(struct buffer *buffer, const struct bars *bars, size_t index,
                  enum timeframe frame)
{
    char row[ROW_BYTES_MAX];
    size_t length = put_time(row, bars->time[index], timeframe_is_daily_or_longer(frame));

    for (int c = 0; c < BAR_COLUMNS; c++) {
        row[length++] = ',';
        length += double_to_text(bars->column[c][index], row + length);
    }
    buffer_add(buffer, row, length);
}

enum status bars_write_csv(const struct bars *bars, enum timeframe frame,
                           enum status (*write)(void *context, const char *bytes, size_t length,
                                                struct error *err),
                           void *context, struct error *err)
{
    struct buffer buffer = {0};
    enum status status = STATUS_OK;

    bars_csv_header(&buffer);
    buffer_add_char(&buffer, '\n');
    for (size_t i = 0; i < bars->count && status == STATUS_OK && !buffer.failed; i++) {
        bars_csv_row(&buffer, bars, i, frame);
        buffer_add_char(&buffer, '\n');
        if (buffer.length >= PIECE_BYTES) {
            status = write(context, buffer.at, buffer.length, err);
            buffer.length = 0;
        }
    }
    if (buffer.failed)
        status = fail(err, STATUS_MEMORY, "no memory to write bars");
    else if (status == STATUS_OK && buffer.length > 0)
        status = write(context, buffer.at, buffer.length, err);
    buffer_deinit(&buffer);
    return status;
}
