/* One executable for the three programs, told apart by the name it is called by: the Swift runtime, Foundation and its
   tables of Unicode are most of each program, and are installed once. Every other name is supermerge. */
#include <string.h>

int supermerge_main(int count, char **arguments);
int supermerged_main(int count, char **arguments);
int supermergectl_main(int count, char **arguments);

int main(int count, char **arguments) {
    const char *path = count > 0 ? arguments[0] : "";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (strcmp(name, "supermerged") == 0) {
        return supermerged_main(count, arguments);
    }
    if (strcmp(name, "supermergectl") == 0) {
        return supermergectl_main(count, arguments);
    }
    return supermerge_main(count, arguments);
}
