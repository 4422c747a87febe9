using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>What the catalogue cannot say of kernels/targets.cu: every width, offsets, bfloat16 layers with a float32 mean.</summary>
public sealed class CudaTargetsTests : CudaKernelTests
{
    [Test]
    public void Every_width_gives_what_double_precision_gives(
        [Values(1, 8, 256, 264, 520, 776, 1024, 1032)] int channels, [Values] bool bfloat16, [Values(0, 1)] int offset,
        [Values] TargetNorm norm) =>
        Compare(o => Mean(o, norm, layers: 3, batch: 2, time: 3, channels, final: channels != 1), bfloat16, offset, terms: channels);

    [Test]
    public void Frames_are_shared_by_blocks([Values(64, 7)] int channels, [Values] bool bfloat16) =>
        Compare(o => Mean(o, TargetNorm.Instance, layers: 2, batch: 2, time: 131, channels, final: false), bfloat16, 0, terms: 131);

    private static Calls Mean(RawOperands o, TargetNorm norm, int layers, int batch, int time, int channels, bool final)
    {
        var count = batch * time * channels;
        var views = default(LayerViews);
        for (var k = 0; k < layers; k++) views[k] = o.Random(count);
        var y = o.Output("y", count, o.Statistics);
        return new([], b => b.Targets(new TargetsArgs
        {
            Layers = views, Y = y, LayerCount = layers, Batch = batch, Time = time, Channels = channels, Norm = norm,
            FinalLayerNorm = final, Eps = 0.25,
        }));
    }
}
