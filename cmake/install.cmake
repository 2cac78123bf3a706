# What "make install" puts where. The manual pages, the completions and the example configuration are
# what the program itself prints.
set(ZSH_COMPLETIONS_DIR ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "for _caes-sync")
set(_printed)

# caes_print(<name of the file> <folder it is installed in> <what caes-sync is asked>...)
macro(caes_print name folder)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/share/${name} VERBATIM DEPENDS caes-sync
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/share
    COMMAND caes-sync ${ARGN} > ${CMAKE_BINARY_DIR}/share/${name})
  install(FILES ${CMAKE_BINARY_DIR}/share/${name} DESTINATION ${folder})
  list(APPEND _printed ${CMAKE_BINARY_DIR}/share/${name})
endmacro()

# caes_link(<folder> <ending>): caes-sync-daemon beside caes-sync
function(caes_link folder ending)
  install(CODE "file(CREATE_LINK caes-sync${ending}
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}/caes-sync-daemon${ending}\" SYMBOLIC)")
endfunction()

set(_data ${CMAKE_INSTALL_DATADIR})
install(TARGETS caes-sync RUNTIME)
caes_link(${CMAKE_INSTALL_BINDIR} "")
caes_print(caes-sync.1 ${CMAKE_INSTALL_MANDIR}/man1 help --man)
caes_link(${CMAKE_INSTALL_MANDIR}/man1 .1)
caes_print(caes-sync.yaml.5 ${CMAKE_INSTALL_MANDIR}/man5 help configuration --man)
caes_print(caes-sync ${_data}/bash-completion/completions completion bash)
caes_link(${_data}/bash-completion/completions "")
caes_print(_caes-sync ${ZSH_COMPLETIONS_DIR} completion zsh)
caes_print(caes-sync.fish ${_data}/fish/vendor_completions.d completion fish)
caes_print(config.yaml ${CMAKE_INSTALL_DOCDIR}/examples init-config --print)
add_custom_target(printed DEPENDS ${_printed})
add_dependencies(program printed)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

file(GLOB _rotate CONFIGURE_DEPENDS packaging/logrotate/*)
install(FILES ${_rotate} DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/logrotate.d)
