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

void bars_csv_row(struct buffer *buffer, const struct bars *bars, size_t index,
                  enum timeframe frame)
{
    char row[ROW_BYTES_MAX];
    size_t length = time_to_text(bars->time[index], timeframe_is_daily_or_longer(frame), row);

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
