/// Debian 12's libtorch (1.13) names OpenCV, FFmpeg, ZeroMQ and stores of training data, and uses no symbol of them:
/// more than 200 libraries with all that they need, which take nearly as long to load as libtorch itself.
#pragma once

#include <vector>

namespace ct {

/// Empty libraries under the names of those that libtorch does not use, so that the loader takes them in their place.
class UnusedLibraries {
  public:
    /// Loads an empty library for each name that no library in the process has yet; where that fails, the real one is
    /// loaded with libtorch as ever.
    static UnusedLibraries standIn();
    /// Lets go of them: a libtorch that does use one can then be loaded with the real ones.
    void remove();
    bool isEmpty() const { return handles_.empty(); }

  private:
    std::vector<void *> handles_;
};

} // namespace ct
