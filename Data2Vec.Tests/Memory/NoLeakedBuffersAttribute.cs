using Data2Vec.Tests.Memory;
using NUnit.Framework;
using NUnit.Framework.Interfaces;

[assembly: NoLeakedBuffers]

namespace Data2Vec.Tests.Memory;

/// <summary>
/// After every test of this assembly no device that it made or used may hold more buffers than before, and the devices
/// that it made are disposed. Memory is counted and not collected, so a forgotten tensor is a leak.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class NoLeakedBuffersAttribute : Attribute, ITestAction
{
    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test) => DeviceWatch.Mark();

    public void AfterTest(ITest test)
    {
        var leaks = DeviceWatch.Leaks();
        if (leaks.Count > 0) throw new AssertionException($"{test.Name} leaks: {string.Join("; ", leaks)}.");
    }
}
