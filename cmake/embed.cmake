# cmake -DOUT=x.c -DFILES=a;b -P embed.cmake: files as arrays of bytes, status_asset_<name>_<ending>.
set(text "#include \"status/assets.h\"\n\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER ${name} name)
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "static const unsigned char ${name}_bytes[] = {${bytes}};\n"
                     "const struct slice status_asset_${name} = "
                     "{(const char *)${name}_bytes, ${size}};\n")
endforeach()
file(WRITE ${OUT} "${text}")
