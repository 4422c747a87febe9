using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Linear(in LinearArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Linear", a.X.DType);

        void Run<T>(in LinearArgs a)
            where T : unmanaged, IElement<T>
        {
            var product = new ProductArgs<T, StridedOperand<T>, StridedOperand<T>>
            {
                Left = new() { Data = View<T>(a.X), LineStride = a.In, InnerStride = 1 },
                Right = new() { Data = View<T>(a.W), LineStride = a.In, InnerStride = 1 },
                End = LayerEnd<T>(a.Y, a.Bias, a.PreActivation, a.Activation, a.Rows, a.Out),
                BatchCount = 1, M = a.Rows, N = a.Out, K = a.In,
            };
            Multiply(MatMulKernels<T>.Product, ref product);
        }
    }

    /// <inheritdoc/>
    public void LinearBackward(in LinearBackwardArgs a)
    {
        if (a.DY.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.DY.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("LinearBackward", a.DY.DType);

        void Run<T>(in LinearBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var slopes = Slopes<T>(
                a.DY, a.PreActivation, a.Scratch, a.DBias, a.Activation, a.Rows, a.Out, a.AccumulateBias);
            if (!a.DX.IsNone)
            {
                var product = new ProductArgs<T, StridedOperand<T>, StridedOperand<T>>
                {
                    Left = new() { Data = View<T>(slopes), LineStride = a.Out, InnerStride = 1 },
                    Right = new() { Data = View<T>(a.W), LineStride = 1, InnerStride = a.In },
                    End = MatrixEnd<T>(a.DX, a.Rows, a.In, false),
                    BatchCount = 1, M = a.Rows, N = a.In, K = a.Out,
                };
                Multiply(MatMulKernels<T>.Product, ref product);
                Slopes<T>(a.DX, a.InputPreActivation, a.DX, default, a.InputActivation, a.Rows, a.In, false);
            }
            if (!a.DW.IsNone)
            {
                var product = new ProductArgs<T, StridedOperand<T>, StridedOperand<T>>
                {
                    Left = new() { Data = View<T>(slopes), LineStride = 1, InnerStride = a.Out },
                    Right = new() { Data = View<T>(a.X), LineStride = 1, InnerStride = a.In },
                    End = MatrixEnd<T>(a.DW, a.Out, a.In, a.AccumulateW),
                    BatchCount = 1, M = a.Out, N = a.In, K = a.Rows,
                };
                Multiply(MatMulKernels<T>.Product, ref product);
            }
        }
    }

    /// <summary>Bias and activation on the sums of a layer, rows contiguous.</summary>
    private static ProductEnd<T> LayerEnd<T>(
        BufferView y, BufferView bias, BufferView sums, Activation activation, int rows, int columns)
        where T : unmanaged, IElement<T>
    {
        var end = MatrixEnd<T>(y, rows, columns, false);
        end.Bias = View<T>(bias);
        end.Sums = View<T>(sums);
        end.HasBias = bias.IsNone ? 0 : 1;
        end.KeepsSums = sums.IsNone ? 0 : 1;
        end.Activation = activation;
        return end;
    }
}
