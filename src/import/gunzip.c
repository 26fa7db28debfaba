/* gunzip: zlib behind a table of its calls. */
#include "import/gunzip.h"

#include <dlfcn.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_ALONE = 16 + MAX_WBITS }; /* inflateInit2: no zlib wrapper, and the CRC is compared */

struct gunzip {
    void *library;
    int (*inflate)(z_streamp, int);
    int (*inflateReset)(z_streamp);
    int (*inflateEnd)(z_streamp);
    z_stream stream;
    bool begun;   /* the stream must be ended */
    bool between; /* a member has ended: the next may begin */
};

static enum status load_library(struct gunzip *gunzip, struct error *err)
{
    int (*init)(z_streamp, int, const char *, int);
    const struct {
        const char *name;
        void *call;
    } wanted[] = {{"inflateInit2_", &init},
                  {"inflate", &gunzip->inflate},
                  {"inflateReset", &gunzip->inflateReset},
                  {"inflateEnd", &gunzip->inflateEnd}};

    gunzip->library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!gunzip->library)
        return fail(err, STATUS_SYSTEM,
                    "gzip needs the library zlib (Debian: zlib1g): %s; or unpack it first",
                    dlerror());
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        void *call = dlsym(gunzip->library, wanted[i].name);

        if (!call)
            return fail(err, STATUS_SYSTEM, "this zlib has no %s", wanted[i].name);
        memcpy(wanted[i].call, &call, sizeof call);
    }
    if (init(&gunzip->stream, GZIP_ALONE, ZLIB_VERSION, sizeof gunzip->stream) != Z_OK)
        return fail(err, STATUS_MEMORY, "no memory to unpack gzip");
    gunzip->begun = true;
    return STATUS_OK;
}

enum status gunzip_open(struct gunzip **opened, struct error *err)
{
    struct gunzip *gunzip = mem_zero(1, sizeof *gunzip);
    enum status status;

    if (!gunzip)
        return fail(err, STATUS_MEMORY, "no memory to unpack gzip");
    status = load_library(gunzip, err);
    if (status == STATUS_OK)
        *opened = gunzip;
    else
        gunzip_close(gunzip);
    return status;
}

void gunzip_close(struct gunzip *gunzip)
{
    if (!gunzip)
        return;
    if (gunzip->begun)
        gunzip->inflateEnd(&gunzip->stream);
    if (gunzip->library)
        dlclose(gunzip->library);
    mem_free(gunzip);
}

/* Tapes and block devices fill the last block up with zeros. */
static void skip_zeros(z_stream *stream)
{
    while (stream->avail_in > 0 && *stream->next_in == 0) {
        stream->next_in++;
        stream->avail_in--;
    }
}

static enum status inflate_some(struct gunzip *gunzip, struct error *err)
{
    z_stream *stream = &gunzip->stream;

    if (gunzip->between) {
        skip_zeros(stream);
        if (stream->avail_in == 0)
            return STATUS_OK;
        gunzip->inflateReset(stream);
        gunzip->between = false;
    }
    switch (gunzip->inflate(stream, Z_NO_FLUSH)) {
    case Z_STREAM_END:
        gunzip->between = true;
        return STATUS_OK;
    case Z_OK:
    case Z_BUF_ERROR: /* nothing to do: more is wanted */
        return STATUS_OK;
    case Z_MEM_ERROR:
        return fail(err, STATUS_MEMORY, "no memory to unpack gzip");
    default:
        return fail(err, STATUS_CORRUPT, "the archive cannot be read: gzip: %s",
                    stream->msg ? stream->msg : "damaged");
    }
}

enum status gunzip_read(struct gunzip *gunzip, const unsigned char **packed, size_t *packed_length,
                        void *bytes, size_t length, size_t *got, struct error *err)
{
    z_stream *stream = &gunzip->stream;
    enum status status = STATUS_OK;

    if (*packed_length == 0 && !gunzip->between)
        return fail(err, STATUS_CORRUPT, "the archive cannot be read: gzip: it is cut");
    /* zlib only reads there.  NOLINTNEXTLINE(performance-no-int-to-ptr) */
    stream->next_in = (unsigned char *)(uintptr_t)*packed;
    stream->avail_in = (uInt)MIN(*packed_length, UINT32_MAX);
    stream->next_out = bytes;
    stream->avail_out = (uInt)MIN(length, UINT32_MAX);
    *packed_length -= stream->avail_in;
    do
        status = inflate_some(gunzip, err);
    while (status == STATUS_OK && gunzip->between && stream->avail_in > 0 && stream->avail_out > 0);
    *packed = stream->next_in;
    *packed_length += stream->avail_in;
    *got = (size_t)((unsigned char *)stream->next_out - (unsigned char *)bytes);
    return status;
}
