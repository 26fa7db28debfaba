/* Inside of env_power, shared by power.c (the world) and image.c (what is left of it). */
#ifndef HARRIER_SYS_DISK_H
#define HARRIER_SYS_DISK_H

#include <pthread.h>

#include "sys/simulated.h"

struct entry {
    char *name;
    uint32_t inode;
};

struct inode {
    bool is_directory;
    unsigned char *bytes; /* POWER_FILE_BYTES_MAX, so that maps stay; zero behind `size` */
    uint64_t size;
    int64_t modified_ns;
    const struct env_file *locked_by;
    struct entry *entries; /* of a directory */
    size_t entry_count, entry_capacity;
};

enum trace_kind {
    TRACE_INODE,  /* a file or directory without a name yet */
    TRACE_LINK,   /* directory, name → inode */
    TRACE_RENAME, /* … → to_directory, to_name */
    TRACE_REMOVE,
    TRACE_WRITE,
    TRACE_TRUNCATE,
    TRACE_SYNC,
    TRACE_SYNC_DIRECTORY,
    TRACE_NOTE,
    TRACE_DURABLE, /* the state that an image began with: everything before it is there */
};

struct trace {
    enum trace_kind kind;
    bool is_directory;
    uint32_t inode, directory, to_directory;
    char *name, *to_name;
    unsigned char *bytes;
    uint64_t at, length;  /* of a write; `at`: a truncate's new length, a note's number */
    uint64_t size_before; /* of the file */
};

struct power_disk {
    pthread_mutex_t mutex;
    uint32_t inode_count;
    size_t trace_count;
    struct random random;
    int64_t ticks_ns;
    uint64_t boot;
    struct arena arena;                   /* names, entries, bytes of the trace */
    struct inode inodes[POWER_FILES_MAX]; /* 0 is the root; only what is used costs memory */
    struct trace trace[POWER_TRACE_MAX];
};

/* Changes without a trace.  Enough room is ASSERTed. */
uint32_t disk_add_inode(struct power_disk *disk, bool is_directory);
void disk_put(struct power_disk *disk, uint32_t inode, uint64_t at, const unsigned char *bytes,
              uint64_t length);
void disk_resize(struct power_disk *disk, uint32_t inode, uint64_t size);
void disk_link(struct power_disk *disk, uint32_t directory, const char *name, uint32_t inode);
void disk_unlink(struct power_disk *disk, uint32_t directory, const char *name);
void disk_unlink_everywhere(struct power_disk *disk, uint32_t inode);

/* Copies names and bytes; the index of the entry. */
size_t disk_trace(struct power_disk *disk, const struct trace *trace);

#endif
