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

    private protected KernelSource(string name, Delegate kernel)
    {
        Name = name;
        Method = kernel.Method;
        Number = Interlocked.Increment(ref made) - 1;
    }

    /// <summary>"layer_norm_fwd float32": the name in budgets, logs and messages.</summary>
    public string Name { get; }

    /// <summary>What ILGPU compiles.</summary>
    public MethodInfo Method { get; }

    public int Number { get; }

    /// <summary>Compiles it for a device; gives the typed launcher.</summary>
    public abstract Delegate Load(Accelerator accelerator);

    public override string ToString() => Name;
}

/// <summary>A kernel with arguments of one type; threads are grouped by the caller.</summary>
/// <param name="name">As in <see cref="KernelSource.Name"/>.</param>
/// <param name="kernel">The static method.</param>
internal sealed class KernelSource<TArgs>(string name, Action<TArgs> kernel) : KernelSource(name, kernel)
    where TArgs : struct
{
    public override Delegate Load(Accelerator accelerator) => accelerator.LoadKernel(kernel);
}
