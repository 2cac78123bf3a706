#ifndef APP_CONFIG_RENDER_H
#define APP_CONFIG_RENDER_H

#include "base/buf.h"

/* What people read about the options, made from the option table. */

/* The commented example of init-config. Loads once the required keys are filled in. */
void config_render_example(struct buf *out);
/* For a terminal: `help configuration`. */
void config_render_help(struct buf *out);
/* docs/configuration.md */
void config_render_markdown(struct buf *out);

#endif
