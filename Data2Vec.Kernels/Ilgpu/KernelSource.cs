using System.Reflection;
using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// A kernel in C#, not compiled yet: a static method with one argument, a struct of views and numbers. Each has a number,
/// under which a backend keeps what it compiled.
/// </summary>
internal abstract class KernelSource
{
    private static int made;

    private protected KernelSource(string name, Delegate kernel, KernelSpecialization specialization)
    {
        Name = name;
        Specialization = specialization;
        Method = kernel.Method;
        Number = Interlocked.Increment(ref made) - 1;
    }

    /// <summary>"layer_norm_fwd float32": the name in budgets, logs and messages.</summary>
    public string Name { get; }

    /// <summary>What ILGPU compiles.</summary>
    public MethodInfo Method { get; }

    public int Number { get; }

    /// <summary>What the compiler may count on, so that it does not take registers that other groups need.</summary>
    public KernelSpecialization Specialization { get; }

    /// <summary>Bytes of its argument as its PTX reads it.</summary>
    public abstract int ArgumentBytes { get; }

    /// <summary>Compiles it for a device; gives the typed launcher.</summary>
    public abstract Delegate Load(Accelerator accelerator);

    public override string ToString() => Name;
}

/// <summary>A kernel with arguments of one type; threads are grouped by the caller.</summary>
/// <param name="name">As in <see cref="KernelSource.Name"/>.</param>
/// <param name="kernel">The static method.</param>
/// <param name="mostThreads">Threads that a group never exceeds; or unknown.</param>
/// <param name="residentGroups">Groups that are to have room on a multiprocessor at once: bounds the registers.</param>
internal sealed class KernelSource<TArgs>(string name, Action<TArgs> kernel, int? mostThreads = null, int? residentGroups = null)
    : KernelSource(name, kernel, new KernelSpecialization(mostThreads, residentGroups))
    where TArgs : struct
{
    public override int ArgumentBytes => ArgumentPacker<TArgs>.Instance.Bytes;

    public override Delegate Load(Accelerator accelerator) => accelerator.LoadKernel(kernel, Specialization);
}
