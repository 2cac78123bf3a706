#include "app/command.h"

#include "app/completion.h"

#include <string.h>

enum exit_code cmd_completion(const struct command_line *line)
{
    static const struct {
        const char *shell;
        void (*render)(struct buf *out);
    } shells[] = {
        {"bash", completion_bash},
        {"zsh", completion_zsh},
        {"fish", completion_fish},
    };
    struct buf out = {0};
    struct err err = {0};
    for (size_t i = 0; line->argument && i < ARRAY_LEN(shells); i++) {
        if (strcmp(line->argument, shells[i].shell) == 0) {
            shells[i].render(&out);
            command_print(&out);
            return EXIT_DONE;
        }
    }
    err_set(&err, ERR_CONFIG, "completion is for bash, zsh or fish; name one of them");
    return command_fail(&err);
}
