#include "app/logging.h"

#include "app/journal.h"
#include "app/logging_file.h"
#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHAIN_MAX = 32 };

struct entry {
    struct log log;
    struct logging *owner;
    struct entry *next;
    size_t handlers[CHAIN_MAX];
    size_t handler_count;
    char name[];
};

struct logging {
    const struct logging_config *config;
    int level;                   /* that overrules, or LOGGING_UNSET */
    struct logging_file **files; /* by handler; NULL: no file */
    struct entry *entries;
    struct buf line;
    pthread_mutex_t lock;
};

static void close_files(struct logging_file **files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        logging_file_close(files[i]);
    free(files);
}

static struct logging_file **open_files(const struct logging_config *config, struct err *err)
{
    struct logging_file **files =
        mem_array(config->handler_count + 1, sizeof(struct logging_file *));
    for (size_t i = 0; i < config->handler_count; i++) {
        if (!config->handlers[i].file)
            continue;
        files[i] = logging_file_open(&config->handlers[i], err);
        if (!files[i]) {
            close_files(files, i);
            return NULL;
        }
    }
    return files;
}

static const struct logging_logger *find_logger(const struct logging_config *config,
                                                struct slice name)
{
    for (size_t i = 0; i < config->logger_count; i++)
        if (slice_is(name, config->loggers[i].name))
            return &config->loggers[i];
    return NULL;
}

static struct slice parent_name(struct slice name)
{
    const char *dot = memrchr(name.ptr, '.', name.len);
    return slice_of(name.ptr, dot ? (size_t)(dot - name.ptr) : 0);
}

static int handler_level(const struct logging *l, size_t place)
{
    int level = l->config->handlers[place].level;
    return l->level != LOGGING_UNSET && l->level < level ? l->level : level;
}

/* The logger's own or nearest inherited level, and the handlers up to the first logger that does
 * not propagate. A line that no handler would take is not even formatted. */
static void resolve(struct logging *l, struct entry *e)
{
    int level = l->level;
    int least = LOG_OFF;
    bool up = true;
    e->handler_count = 0;
    for (struct slice name = slice_str(e->name);; name = parent_name(name)) {
        const struct logging_logger *logger = find_logger(l->config, name);
        if (logger && level == LOGGING_UNSET)
            level = logger->level;
        for (size_t i = 0; up && logger && i < logger->handler_count; i++)
            if (e->handler_count < CHAIN_MAX)
                e->handlers[e->handler_count++] = logger->handlers[i];
        up = up && !(logger && !logger->propagate);
        if (name.len == 0)
            break;
    }
    for (size_t i = 0; i < e->handler_count; i++)
        if (handler_level(l, e->handlers[i]) < least)
            least = handler_level(l, e->handlers[i]);
    e->log.level = (enum log_level)(level > least ? level : least);
}

static void render(const struct logging *l, const struct logging_format *format,
                   const struct logging_record *record, struct buf *out)
{
    if (l->config->json)
        logging_format_json(record, out);
    else
        logging_format_render(format, record, out);
    buf_append_char(out, '\n');
}

static void write_stream(struct logging *l, const struct logging_handler *h,
                         const struct logging_record *record)
{
    static const char priorities[] = {'7', '6', '4', '3', '2'};
    const int fd = h->to_stdout ? STDOUT_FILENO : STDERR_FILENO;
    const bool journal = journal_is(fd);
    if (journal)
        buf_printf(&l->line, "<%c>", priorities[record->level]);
    render(l, journal && h->journal_format ? h->journal_format : h->format, record, &l->line);
    /* Nobody to tell when that fails. */
    (void)!write(fd, l->line.ptr, l->line.len);
}

static void handle(struct logging *l, size_t place, const struct logging_record *record)
{
    const struct logging_handler *h = &l->config->handlers[place];
    if ((int)record->level < handler_level(l, place) || h->kind == LOGGING_NULL)
        return;
    buf_clear(&l->line);
    if (h->kind == LOGGING_STREAM) {
        write_stream(l, h, record);
        return;
    }
    render(l, h->format, record, &l->line);
    logging_file_write(l->files[place], buf_slice(&l->line), record->time_us);
}

static void write_line(void *ctx, enum log_level level, const char *name, const char *text)
{
    struct entry *e = ctx;
    struct logging *l = e->owner;
    const struct logging_record record = {clock_wall_us(), level, name, text};
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < e->handler_count; i++)
        handle(l, e->handlers[i], &record);
    pthread_mutex_unlock(&l->lock);
}

struct logging *logging_open(const struct logging_config *config,
                             const struct logging_options *options, struct err *err)
{
    struct logging_file **files = open_files(config, err);
    if (!files)
        return NULL;
    struct logging *l = mem_zalloc(sizeof *l);
    l->config = config;
    l->level = options->level;
    l->files = files;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

const struct log *logging_get(struct logging *l, const char *name)
{
    pthread_mutex_lock(&l->lock);
    struct entry *e = l->entries;
    while (e && strcmp(e->name, name) != 0)
        e = e->next;
    if (!e) {
        e = mem_zalloc(sizeof *e + strlen(name) + 1);
        memcpy(e->name, name, strlen(name) + 1);
        e->owner = l;
        e->log = (struct log){.name = e->name, .write = write_line, .ctx = e};
        e->next = l->entries;
        l->entries = e;
        resolve(l, e);
    }
    pthread_mutex_unlock(&l->lock);
    return &e->log;
}

bool logging_apply(struct logging *l, const struct logging_config *config, struct err *err)
{
    struct logging_file **files = open_files(config, err);
    if (!files)
        return false;
    pthread_mutex_lock(&l->lock);
    close_files(l->files, l->config->handler_count);
    l->files = files;
    l->config = config;
    for (struct entry *e = l->entries; e; e = e->next)
        resolve(l, e);
    pthread_mutex_unlock(&l->lock);
    return true;
}

void logging_reopen(struct logging *l)
{
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->config->handler_count; i++)
        if (l->files[i])
            logging_file_reopen(l->files[i]);
    pthread_mutex_unlock(&l->lock);
}

bool logging_has_file(const struct logging_config *config)
{
    for (size_t i = 0; i < config->logger_count; i++)
        for (size_t j = 0; j < config->loggers[i].handler_count; j++)
            if (config->handlers[config->loggers[i].handlers[j]].file)
                return true;
    return false;
}

void logging_close(struct logging *l)
{
    if (!l)
        return;
    close_files(l->files, l->config->handler_count);
    while (l->entries) {
        struct entry *next = l->entries->next;
        free(l->entries);
        l->entries = next;
    }
    buf_free(&l->line);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
