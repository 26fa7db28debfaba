/* parse: how fast a file of CSV is read, parsed and judged on one thread, without the store:
 *
 *     parse FILE [REPEATS]      REPEATS: 9
 */
#include <string.h>

#include "bench.h"
#include "import/import.h"
#include "import/parse.h"

enum { REPEATS_MAX = 101 };

/* The ns it took; *bytes: the file's. */
static double parse_once(const struct import_options *options, const char *path, char *buffer,
                         double *bytes)
{
    atomic_uint_least64_t bytes_read = 0;
    struct parse_plan plan;
    struct parse_job job = {0};
    struct error err;
    int64_t begin;
    double taken;

    if (parse_plan_init(&plan, options, &bytes_read, &err) != STATUS_OK) {
        fprintf(stderr, "parse: %s\n", err.text);
        exit(1);
    }
    job.file.kind = SOURCE_PATH;
    job.file.name = mem_copy_text(path);
    job.file.path = mem_copy_text(path);
    job.file.base_length = strlen(path);
    begin = clock_ticks_ns(options->env);
    parse_file(&plan, &job, buffer, NULL, NULL);
    taken = (double)(clock_ticks_ns(options->env) - begin);
    if (job.status != STATUS_OK || job.no_memory || !job.bytes) {
        fprintf(stderr, "parse: %s\n", job.text ? job.text : "not parsed");
        exit(1);
    }
    *bytes = (double)job.bytes;
    parse_job_deinit(&job);
    parse_plan_deinit(&plan);
    return taken;
}

int main(int argc, char **argv)
{
    struct import_options options = {.env = env_posix(), .data_dir = ".", .threads = 1};
    int repeats = argc > 2 ? MAX(1, MIN(atoi(argv[2]), REPEATS_MAX)) : 9;
    char *buffer = mem_alloc(PARSE_BUFFER_BYTES);
    struct error err;
    double taken[REPEATS_MAX], bytes = 0;

    if (argc < 2 || !buffer) {
        fprintf(stderr, "usage: parse FILE [REPEATS]\n");
        return 2;
    }
    if (market_parse(&options.market, TEXT("bench/1m"), &err) != STATUS_OK)
        return 1;
    for (int r = 0; r < repeats; r++)
        taken[r] = parse_once(&options, argv[1], buffer, &bytes);
    figure_rate("parse", taken, repeats, bytes * 1e3, "MB/s"); /* bytes a ns are GB/s */
    mem_free(buffer);
    return 0;
}
