using System.Diagnostics;
using System.Globalization;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Models;

/// <summary>
/// Loads, before the first update, the kernels that earlier runs of the kind have used on such a device, and remembers
/// those of this run: so updates are not kept waiting by a compiler.
/// </summary>
internal sealed class Warming
{
    private readonly ICompilingBackend backend;
    private readonly string work;
    private readonly int before;

    private Warming(ICompilingBackend backend, string work)
    {
        (this.backend, this.work) = (backend, work);
        var watch = Stopwatch.StartNew();
        Kernels = backend.Warm(work);
        Seconds = watch.Elapsed.TotalSeconds;
        before = backend.Kernels.Loaded;
    }

    /// <summary>Kernels that were loaded ahead; probes before training may have loaded others.</summary>
    public int Kernels { get; }

    /// <summary>How long that took.</summary>
    public double Seconds { get; }

    /// <summary>Kernels that the first update had to load all the same.</summary>
    public int? FirstUpdateKernels { get; private set; }

    /// <summary>Warms a device; null for one that compiles nothing.</summary>
    public static Warming? Of(IBackend backend, PretrainConfig config, IPretrainObserver observer)
    {
        if (backend is not ICompilingBackend compiling) return null;
        // Precision decides about most kernels; shapes about few, and those that a preset does not use do little harm.
        var warming = new Warming(compiling, $"pretrain {config.Modality} {config.Precision}".ToLowerInvariant());
        observer.Phase(string.Create(CultureInfo.InvariantCulture,
            $"{warming.Kernels} kernels that such runs use are loaded ({warming.Seconds:F1} s)"));
        return warming;
    }

    /// <summary>Counts what the first update has loaded.</summary>
    public void FirstUpdateIsOver()
    {
        FirstUpdateKernels = backend.Kernels.Loaded - before;
        Remember();
    }

    /// <summary>Keeps the names of all kernels that are loaded.</summary>
    public void Remember() => backend.Remember(work);
}
