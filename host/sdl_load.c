/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SDL2's functions, each a jump to where the library has it. */
#ifdef HAVE_SDL2
#include "host/sdl_load.h"

#include <dlfcn.h>

/* All that is called; the linker names one that is missing here. */
#define FUNCTIONS(F)                                                                               \
    F(SDL_CreateRGBSurfaceWithFormat)                                                              \
    F(SDL_CreateWindow)                                                                            \
    F(SDL_DestroyWindow)                                                                           \
    F(SDL_EnableScreenSaver)                                                                       \
    F(SDL_FillRect)                                                                                \
    F(SDL_FreeSurface)                                                                             \
    F(SDL_GetCurrentVideoDriver)                                                                   \
    F(SDL_GetError)                                                                                \
    F(SDL_GetModState)                                                                             \
    F(SDL_GetMouseState)                                                                           \
    F(SDL_GetWindowSize)                                                                           \
    F(SDL_GetWindowSurface)                                                                        \
    F(SDL_GetWindowWMInfo)                                                                         \
    F(SDL_Init)                                                                                    \
    F(SDL_LockSurface)                                                                             \
    F(SDL_PollEvent)                                                                               \
    F(SDL_Quit)                                                                                    \
    F(SDL_SetHint)                                                                                 \
    F(SDL_SetHintWithPriority)                                                                     \
    F(SDL_SetMainReady)                                                                            \
    F(SDL_SetRelativeMouseMode)                                                                    \
    F(SDL_SetWindowFullscreen)                                                                     \
    F(SDL_SetWindowGrab)                                                                           \
    F(SDL_SetWindowSize)                                                                           \
    F(SDL_SetWindowTitle)                                                                          \
    F(SDL_ShowCursor)                                                                              \
    F(SDL_StartTextInput)                                                                          \
    F(SDL_StopTextInput)                                                                           \
    F(SDL_UnionRect)                                                                               \
    F(SDL_UnlockSurface)                                                                           \
    F(SDL_UpdateWindowSurfaceRects)                                                                \
    F(SDL_UpperBlit)                                                                               \
    F(SDL_VideoQuit)

/* Written once, by sdl_load. */
#define FUNCTION(name)                                                                             \
    static void *at_##name __attribute__((used));                                                  \
    __asm__(".pushsection .text\n"                                                                 \
            ".globl " #name "\n"                                                                   \
            ".type " #name ", @function\n" #name ":\n"                                             \
            "jmp *at_" #name "(%rip)\n"                                                            \
            ".popsection");
FUNCTIONS(FUNCTION)

#define ROW(name) {#name, &at_##name},
static const struct {
    const char *name;
    void **at;
} functions[] = {FUNCTIONS(ROW)};

bool sdl_load(struct error *err)
{
    void *library = dlopen("libSDL2-2.0.so.0", RTLD_NOW | RTLD_LOCAL);

    for (unsigned i = 0; library && i < ARRAY_SIZE(functions); i++) {
        *functions[i].at = dlsym(library, functions[i].name);
        if (!*functions[i].at)
            library = NULL;
    }
    return library ||
           error_set(err, "cannot open a window: %s; -nographic does without", dlerror());
}
#endif
