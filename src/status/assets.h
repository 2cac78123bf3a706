#ifndef STATUS_ASSETS_H
#define STATUS_ASSETS_H

#include "base/slice.h"

/* The files of this folder that the page is made of, compiled in (cmake/embed.cmake). */
extern const struct slice status_asset_page_html, status_asset_page_css, status_asset_page_js;

#endif
