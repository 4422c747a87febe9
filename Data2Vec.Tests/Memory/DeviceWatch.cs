using System.Runtime.CompilerServices;
using Data2Vec.Engine;

namespace Data2Vec.Tests.Memory;

/// <summary>Every device that the tests make, and how many buffers each had when it was last looked at.</summary>
internal static class DeviceWatch
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<Device, int> Known = new(ReferenceEqualityComparer.Instance);
    private static readonly HashSet<Device> Fresh = new(ReferenceEqualityComparer.Instance);

    [ModuleInitializer]
    internal static void Start() => Device.Opened = device =>
    {
        lock (Gate) Fresh.Add(device);
    };

    /// <summary>Takes the present state as right: a test begins.</summary>
    public static void Mark()
    {
        lock (Gate)
        {
            Known.Clear();
            foreach (var device in Fresh.Where(d => !d.IsDisposed)) Known[device] = Outstanding(device);
            Fresh.RemoveWhere(d => d.IsDisposed);
        }
    }

    /// <summary>What is wrong since <see cref="Mark"/>: buffers kept, or a device that was made and not disposed.</summary>
    public static IReadOnlyList<string> Leaks()
    {
        var leaks = new List<string>();
        lock (Gate)
        {
            foreach (var device in Fresh)
            {
                var known = Known.TryGetValue(device, out var before);
                var left = Outstanding(device) - before;
                if (left > 0) leaks.Add($"{left} buffers of the device {device.Name} were not given back");
                if (!known && !device.IsDisposed) leaks.Add($"a device {device.Name} was made and not disposed");
            }
            Fresh.RemoveWhere(d => d.IsDisposed);
        }
        return leaks;
    }

    private static int Outstanding(Device device)
    {
        // Behind a queue memory is given back when its turn comes.
        if (!device.IsDisposed) device.Backend.Synchronize();
        return device.OutstandingBuffers;
    }
}
