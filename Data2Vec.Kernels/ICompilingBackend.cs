namespace Data2Vec.Kernels;

/// <summary>
/// A backend whose kernels are compiled and loaded when they are first asked for, which can be done ahead of time for
/// those that earlier work of the same kind has used.
/// </summary>
public interface ICompilingBackend : IBackend
{
    /// <summary>What was loaded and compiled so far.</summary>
    KernelCounts Kernels { get; }

    /// <summary>Loads the kernels that are remembered for work of a kind, on a device of this kind.</summary>
    /// <param name="work">Its name: "pretrain text float32".</param>
    /// <returns>Kernels that were not loaded before.</returns>
    /// <exception cref="InvalidOperationException">
    /// One does not compile; the sentence names kernel and device.
    /// </exception>
    int Warm(string work);

    /// <summary>Adds the kernels that are loaded to those remembered for work of a kind.</summary>
    /// <param name="work">Its name.</param>
    void Remember(string work);
}

/// <summary>What a backend has done about its kernels.</summary>
/// <param name="Loaded">Kernels that are ready to be launched.</param>
/// <param name="Compiled">
/// Of these, how many were compiled from C#; the others came from the cache, or with the program.
/// </param>
public readonly record struct KernelCounts(int Loaded, int Compiled);
