using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests;

/// <summary>
/// Tests neither read nor change the kernels that this user's runs keep: they share a folder that is removed at the
/// end.
/// </summary>
[SetUpFixture]
public sealed class OwnKernelCache
{
    private readonly string? before = Environment.GetEnvironmentVariable(KernelCache.Variable);
    private TemporaryFolder? folder;

    /// <summary>Child processes inherit it.</summary>
    [OneTimeSetUp]
    public void Begin()
    {
        folder = new TemporaryFolder();
        Environment.SetEnvironmentVariable(KernelCache.Variable, folder.Path);
    }

    /// <summary>Leaves the environment as it was.</summary>
    [OneTimeTearDown]
    public void End()
    {
        Environment.SetEnvironmentVariable(KernelCache.Variable, before);
        folder!.Dispose();
    }
}
