// SPDX-License-Identifier: MIT
#include "gateway/qr.h"

#include "gateway/write.h"

#include <qrencode.h>

#define MARGIN 4

fault qr_write(const char *text, struct bytes *out)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (code == NULL)
        return RAISE(INTERNAL, "a text of %zu bytes is too long for a QR code", strlen(text));
    int side = code->width + 2 * MARGIN;
    write_format(out,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                 "shape-rendering=\"crispEdges\"><rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
                 "<path fill=\"#000\" d=\"",
                 side, side, side, side);
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            if ((code->data[y * code->width + x] & 1) != 0)
                write_format(out, "M%d %dh1v1h-1z", x + MARGIN, y + MARGIN);
    write_text(out, "\"/></svg>\n");
    QRcode_free(code);
    return DONE;
}
