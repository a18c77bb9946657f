import keras
import torch

keras.config.set_image_data_format("channels_last")


def f(x):
    return torch.nn.MaxPool2d(2)(x)
