#include "status/page.h"

#include "base/json.h"
#include "status/assets.h"
#include "status/digest.h"
#include "status/template.h"

void status_page(const struct status_snapshot *s, int64_t age_us, struct buf *out)
{
    const struct template_part parts[] = {
        {"style", status_asset_page_css},
        {"script", status_asset_page_js},
    };
    struct buf model = {0};
    struct json_doc *doc = json_doc_new();
    status_page_model(s, age_us, &model);
    if (json_parse(doc, buf_slice(&model), false, NULL))
        template_render(status_asset_page_html, json_root(doc), parts, ARRAY_LEN(parts), out);
    json_doc_free(doc);
    buf_free(&model);
}

static void append_hash(struct slice text, struct buf *out)
{
    char base64[DIGEST_BASE64_MAX];
    digest_base64(text, base64);
    buf_printf(out, "'sha256-%s'", base64);
}

void status_page_policy(struct buf *out)
{
    buf_append_str(out, "default-src 'none'; connect-src 'self'; img-src data:; style-src ");
    append_hash(status_asset_page_css, out);
    buf_append_str(out, "; script-src ");
    append_hash(status_asset_page_js, out);
    buf_append_str(out, "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}
